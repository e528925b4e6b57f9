---@meta _
-- Options of a recipe's `data`: one class per kind. The parentheses hold the default and the range
-- of the program's own rule; a test compares them.

---@alias aniso.option.data
---| aniso.option.data.folder
---| aniso.option.data.csv
---| aniso.option.data.ham10000
---| aniso.option.data.lesions

---Groups of classes by training images, after Liu et al. 2019.
---@class aniso.option.data.shot
---@field many? number A class with more images belongs to the head (default 100).
---@field few? number A class with fewer images belongs to the tail (default 20).

---Options of every kind of data.
---@class aniso.option.data.any
---@field size? integer|integer[] Side in pixels, or {height, width}: 1 … 1024, 32 if left out.
---@field seed? integer Of the split, and of the synthetic images (default 0).
---Share of all images, or of a ready-made training list, that becomes the validation part; 0.1 if left
---out (at least 0, below 1).
---@field val? number
---Share of all images that becomes the test part; 0.2, for lesions 0.3, if left out
---(at least 0, below 1).
---@field test? number
---@field shot? aniso.option.data.shot Limits of the groups head, medium and tail.

---What kinds with image files understand.
---@class aniso.option.data.files : aniso.option.data.any
---@field root? string The folder with the images.
---@field cache? string|false Folder for decoded images, or false; the user's cache folder if left out.
---@field aspect? "stretch"|"crop"|"pad" How other shapes become `size` (default "stretch").
---@field classes? string[] Names in class order; those found, sorted, if left out.

---A folder with a sub-folder per class.
---@class aniso.option.data.folder : aniso.option.data.files
---@field [1] "folder"
---@field split? string Folder with ready-made lists of the parts, from `aniso data split`.

---A table of images in CSV.
---@class aniso.option.data.csv : aniso.option.data.files
---@field [1] "csv"
---@field table? string The table's file name below `root`.
---@field image? string Column with the image's name (default "image").
---@field label? string Column with the class (default "label").
---@field group? string Column whose images stay on one side of the split, such as a patient.
---@field extension? string Added to the image's name, such as ".jpg" (default "").
---@field images? string|string[] Folder or folders with the images below `root`, "images" if left out.
---@field split? string Folder with ready-made lists of the parts.

---HAM10000 as published; a lesion's images stay on one side of the split.
---@class aniso.option.data.ham10000 : aniso.option.data.files
---@field [1] "ham10000"
---@field split? string Folder with ready-made lists, *_train.csv and *_test.csv.

---Synthetic skin lesions, seven classes in a long tail; built in.
---@class aniso.option.data.lesions : aniso.option.data.any
---@field [1] "lesions"
---@field n? integer Images (default 1400, at least 70).
