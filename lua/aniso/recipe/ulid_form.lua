-- ulid_form(text) → whether a text has the form of a ULID: 26 letters of Crockford's base 32, without I,
-- L, O and U. Such a text can be a run's uid and name a folder. The constraint of run.uid (store/schema.sql)
-- and the rule for foreign files (store/content_rules.sql) permit the same texts.
local FORM = "^" .. ("[0-9A-HJKMNP-TV-Z]"):rep(26) .. "$"

return function(text)
  return type(text) == "string" and text:match(FORM) ~= nil
end
