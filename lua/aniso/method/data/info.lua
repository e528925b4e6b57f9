-- ds:info() → the text of `aniso data info`.
local printed = require("aniso.stats.metric.catalog").printed
local survey = require "aniso.method.data.survey"
local unread = require "aniso.method.data.unread"
local printable = require("aniso.core").sys.visible

-- "head: at least 1/5 of the largest class, tail: at most 1/20"
local function describe_groups(rule)
  if rule[1] == "relative" then
    return ("head: at least 1/%g of the largest class, tail: at most 1/%g"):format(rule.head, rule.tail)
  elseif rule[1] == "counts" then
    return ("head: over %g training images, tail: under %g"):format(rule.many, rule.few)
  end
  return printable(("head: %s; tail: %s"):format(table.concat(rule.head, " "), table.concat(rule.tail, " ")))
end

local function head(ds, add)
  local split = ds.split
  if ds.number_type then
    local tokens = ds.height * ds.width
    add("%s: %d classes, features of %d %s with %d numbers, %s", ds.name, ds.K, tokens,
      tokens == 1 and "token" or "tokens", ds.channels, ds.number_type)
    if tokens > 1 then
      add("tokens   %s", ds.unordered and "a set, without positions"
        or ("a grid of %dx%d"):format(ds.height, ds.width))
    end
  else
    add("%s: %d classes, %dx%d pixels", ds.name, ds.K, ds.width, ds.height)
  end
  add("content  %s", ds.sha256)
  add("split    %s, seed %d", split.name, split.seed)
  add("lists    %s", split.sha256) -- which image is in which part; data_split.sha256 covers more
  if split.profile ~= "natural" then
    add("profile  %s: %d of %d training images stay", split.profile, ds:n "train", split.before_tail)
  end
  add("imbalance %.1f", split.imbalance_factor)
  add("groups   %s", describe_groups(split.groups))
  if split.test_is_val == 1 then add("validation and test are the same part: there is no other") end
  if split.conflicts > 0 then
    add("%d images have the bytes of an image of another class: a label is wrong", split.conflicts)
  end
  if split.group_leaks > 0 then
    add("%d validation and test images share a group with training", split.group_leaks)
  end
end

-- What the files show beyond the classes.
local function files(ds, add)
  local facts, last_fold = ds.facts or {}, nil
  for _, fold in ipairs(ds.folds or {}) do last_fold = math.max(last_fold or 0, fold) end
  if last_fold then add("folds    %d, as published", last_fold + 1) end
  if facts.other_files and next(facts.other_files) then
    add("not read %s: JPEG, PNG and BMP are%s", unread.describe_other(facts.other_files),
      unread.cure_other(facts.other_files))
  end
  unread.each_stray(facts.stray_kinds or {}, facts.wrapped, function(what, _, way)
    add("not read %s: %s", what, way)
  end)
  if (facts.left_out or 0) > 0 then add("not used %d images, which leave_out names", facts.left_out) end
  if ds.missing > 0 then add("missing  %d images that the table names", ds.missing) end
  if facts.features then
    add("features %s", facts.features.file)
    if facts.features.unmatched > 0 then
      add("not used %d rows of the table or of the features, which unmatched leaves out",
        facts.features.unmatched)
    end
  end
  if ds.damaged > 0 then
    add("damaged  %d images, accepted: some of their pixels are grey or wrong", ds.damaged)
  end
  for _, note in ipairs(facts.notes or {}) do add("note     %s", note) end
end

local function classes(ds, add)
  local split, width = ds.split, 5
  for _, name in ipairs(ds.classes) do width = math.max(width, utf8.len(name) or #name) end
  local function row(name, train, val, test, group)
    add("%s %8s %8s %8s  %s", name .. (" "):rep(width - (utf8.len(name) or #name)), train, val, test, group)
  end
  row("class", "train", "val", "test", "group")
  for k, name in ipairs(ds.classes) do
    row(printable(name), split.n_train[k], split.n_val[k], split.n_test[k], printed(split.shot[k]))
  end
  row("all", ds:n "train", ds:n "val", ds:n "test", "")
end

return function(ds)
  local lines = {}
  local function add(format, ...) lines[#lines + 1] = printable(format:format(...)) end
  head(ds, add)
  files(ds, add)
  add ""
  classes(ds, add)
  if (ds.facts or {}).kind ~= "lesions" and not ds.number_type then
    add ""
    survey.lines(ds, add)
  end
  return (table.concat(lines, "\n"):gsub(" +\n", "\n"):gsub(" +$", ""))
end
