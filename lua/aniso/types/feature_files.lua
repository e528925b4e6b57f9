---@meta _
-- Features instead of images: the options of data = features, and an open file of features.

---Features that another program computed from the images: a safetensors or .npy file of shape (images, width)
---or (images, tokens, width), and a table with one row per image. Column names are as in csv. Features have
---no backbone, augmentation or crops.
---@class aniso.option.data.features
---@field [1] "features"
---@field file? string The features: float32, float16, bfloat16 or float64.
---@field table? string The table's file name.
---@field root? string Folder of both; the current one, or the recipe's, if left out.
---Column with the ids of the features, if they have ids; it names the images. The column id, if there is one,
---if left out.
---@field id? string
---Text file with the ids of the features, one line per row. If left out, the ids are those of a safetensors
---file: "ids" in its metadata, one id per line, or its tensor ids. Without ids, row i of the features is row
---i of the table.
---@field ids? string
---@field row? string Column with the number of the row of features, from 0, instead of ids.
---What to do with images that only one of the two contains: "refuse" (if left out) or "leave_out".
---@field unmatched? "refuse"|"leave_out"
---true: the tokens are a square grid in reading order; {height, width}: another grid. Without it tokens have
---no positions, and their order does not matter.
---@field grid? any
---"standard" (if left out): each number minus its mean over the training part, divided by its deviation;
---"none".
---@field normalise? "standard"|"none"
---@field label? string Column with the class (default "label").
---@field one_hot? string[] Columns of 0 and 1, one per class, instead of `label`.
---@field group? string Column whose images stay on one side of the split, such as a patient.
---@field no_group? string[] Ids in that column that mean no group, such as {"nan"}: each such image is alone.
---@field fold? string Column with the fold's number.
---@field join? aniso.option.data.join A second table, with `table` and `on`.
---@field split? string Column with the part of each image, or a folder with ready-made lists of the parts.
---@field ratio? integer Which of MONICA's lists: train_100.npy has the imbalance ratio 100 (at least 1).
---@field classes? string[] Names in class order; those found, sorted, if left out.
---@field merge? string[][] Labels of one class each, its name first: {{"mel", "Mel"}, {"1", "01", "1.0"}}.
---@field leave_out? string[] Labels whose images are not used, such as {"nan", ""}; "" means an empty label.
---@field name? string Name of the set in commands; the file's name if left out.
---@field seed? integer Of the split (default 0).
---Share of all images, or of a ready-made training list, that becomes the validation part; 0.1 if left
---out (at least 0, below 1).
---@field val? number
---@field test? number Share of all images that becomes the test part; 0.2 if left out (at least 0, below 1).
---@field divide_groups? boolean Whether the split may put the images of a group into several parts.
---@field groups? aniso.option.groups Groups of classes for their mean recalls (default "relative").
---@field long_tail? aniso.option.data.long_tail Cuts the training part to a long tail.

---How rows of features become the input of a network.
---@class aniso.FeatureForm
---@field count? integer Rows to read, 1 if left out.
---@field height? integer The grid of the tokens; 1 × tokens if left out.
---@field width? integer
---@field mean number[] Of each number of a token.
---@field std number[]
---@field rows? integer Rows of the result, if more than count.

---An open file of features, which is mapped into memory.
---@class aniso.Features
---@field n integer Rows.
---@field tokens integer Tokens of a row.
---@field width integer Numbers of a token.
---@field type "float32"|"float16"|"bfloat16"|"float64"
---@field ids? string One id per line; nil if the file has none.
local Features = {}

---Rows as the input of a network.
---@param first integer from 0
---@param form aniso.FeatureForm
---@return aniso.Tensor? images (rows,height,width,D), normalised; 0 where a row is not finite; nil if the
---file was written to after it was opened
---@return table<integer, true> broken rows with a number that is not finite, by position; or the message
function Features:batch(first, form) end

---Unmaps the file before the garbage collector does; further use raises.
function Features:close() end
