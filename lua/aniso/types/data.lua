---@meta _
-- Image sets: aniso.data and the Dataset it opens.

---@alias aniso.Part "train"|"val"|"test"

---How a data set was divided.
---@class aniso.Split
---@field name string
---@field sha256 string Hash of the lists of images.
---@field profile "natural"|"exp"|"step" Of the training part: `long_tail`.
---@field before_tail integer Training images before `long_tail` cut them.
---@field seed integer
---@field imbalance_factor number Size of the largest class of the training part over that of the smallest.
---@field test_is_val integer 1 if the test part serves as validation because there is no other; else 0.
---@field groups table The rule of `shot`, as the option data.groups.
---@field folds? integer Folds of the cross-validation; nil without cross-validation.
---@field fold? integer The fold that is tested, from 0.
---@field fold_set? string SHA-256 of every image's fold: the same for all folds.
---@field group_leaks integer Validation and test images that share a group with training.
---@field copy_leaks integer Validation and test images with a copy in training.
---@field conflicts integer Images with the same bytes as an image of another class: one label is wrong.
---@field conflict string[] The names of two of them, or empty.
---@field n_train integer[] Images per class.
---@field n_val integer[] Images per class.
---@field n_test integer[] Images per class.
---@field shot ("many"|"medium"|"few")[] Group of each class.

---What a data set's files contain besides its images.
---@class aniso.DatasetFacts
---@field kind string The kind's name in recipes.
---@field title? string Of a published set.
---Files that are not images, by extension; `classes` holds their number per class.
---@field other_files? table<string, { n: integer, example: string, classes: table<string, integer> }>
---@field strays? integer Images in folders that were not read.
---@field stray_kinds? table<string, { n: integer, example: string }> The same by kind.
---@field empty_classes? table<string, boolean> Class folders without images that `leave_out` names.
---@field wrapped? string The folder below the root that was read instead.
---The file that data = features was read from; unmatched: unused rows of the table or of the features.
---@field features? { file: string, unmatched: integer }
---@field left_out? integer Images that `leave_out` left out.
---@field ordered_by_value? boolean The classes are ordered by value, and that is not the bytewise order.
---@field notes string[] Lines for `aniso data info`.
---@field warnings string[] The warnings that were given.

---Images, labels and parts, ready for training. Class numbers in tensors are 0 … K−1; lists by class count
---from 1. Positions in a part count from 0. Each access to a field creates its value anew.
---@class aniso.Dataset
---@field name string
---@field source string Where the images come from.
---@field sha256 string Hash of the images and labels.
---@field earlier_sha256 string `sha256` of the same files before JPEGs were read through libjpeg-turbo.
---@field K integer Classes.
---@field height integer Pixels, or the grid of the tokens of features.
---@field width integer
---@field channels integer 3, or the numbers of a token of features.
---@field number_type? "float32"|"float16"|"bfloat16"|"float64" Of features in their file; nil for images.
---@field unordered boolean The tokens of features have no positions.
---@field classes string[] Names.
---@field packed boolean The decoded images are a file in the cache folder.
---@field counts integer[] Training images n_j per class.
---@field split aniso.Split
---The folds that came with the data: a number from 0 per image of the whole set, in bytewise order of the
---images' names; nil if the set, or any image, has none.
---@field folds? integer[]
---@field facts? aniso.DatasetFacts What else the files contain; nil for a set without files.
---Images per part in the files of a container (cifar10, mnist, …); nil for other sets.
---@field official? { train: integer, val: integer, test: integer }
---@field missing integer Images in a table whose files are missing; they are left out.
---@field damaged integer Damaged images that were accepted: data.damaged = "accept".
---@field mean number[] Of each channel over the training part, values in [0, 1] or those of the features.
---@field std number[] Standard deviation, the same way.
local Dataset = {}

---How many images a part has.
---@param part aniso.Part
---@return integer
function Dataset:n(part) end

---@param part aniso.Part
---@return aniso.Tensor labels int64 (n), 0 … K−1
function Dataset:labels(part) end

---Names of the images.
---@param part aniso.Part
---@return string[]
function Dataset:keys(part) end

---A number per image, equal for images of one group (a lesion, a patient) and for copies, across all parts.
---@param part aniso.Part
---@return integer[]
function Dataset:clusters(part) end

---@class aniso.OrderOptions
---"instance" if left out.
---@field sampling? "instance"|"class_balanced"|"square_root"|"progressive"|"sequential"
---@field seed? integer 0 if left out.
---@field epoch? integer 0 if left out.
---@field first? integer The epoch at which "progressive" begins; 0 if left out.
---@field epochs? integer Epochs in which "progressive" reaches equal classes; 1 if left out.

---The positions of an epoch in the order of a sampler.
---@param part aniso.Part
---@param how? aniso.OrderOptions
---@return aniso.Tensor positions int64 (n), from 0
function Dataset:order(part, how) end

---@class aniso.BatchOptions
---@field augment? aniso.option.train.augment None if left out.
---@field seed? integer Of the augmentation, 0 if left out.
---@field epoch? integer 0 if left out; each epoch augments differently.
---Moments per channel instead of the training part's own.
---@field normalise? { mean: number[], std: number[] }

---Images by position: ds:batch(part, positions, how), or ds:batch(part, first, count, how).
---@param part aniso.Part
---@param positions aniso.Tensor|integer int64 (B), or the first position
---@param count? integer|aniso.BatchOptions images, if the first position is given
---@param how? aniso.BatchOptions
---@return aniso.Tensor images (B,H,W,channels), each channel with mean 0 and deviation 1 over the training
---part, or with the moments of how.normalise
---@return aniso.Tensor labels int64 (B)
function Dataset:batch(part, positions, count, how) end

---The text of `aniso data info`: classes, counts, the split.
---@return string
function Dataset:info() end

---Frees the memory before the garbage collector does; further use raises.
function Dataset:close() end

---@class aniso.core.data
---@field methods table The methods of Dataset.
local engine = {}

---@param values table complete, as lua/aniso/method/data.lua makes it
---@return aniso.Dataset? dataset nil if the files are invalid
---@return string? message
---@return string? code
function engine.open(values) end

---Properties of the images of a set that are independent of what they show. Lists are per class; images of no
---part are not counted. `format` and `size` are empty for sets without a file per image.
---@class aniso.Survey
---@field images integer[]
---@field format table<string, integer>[] Images per format of their files, { PNG = 3, JPEG = 9 }.
---@field size table<string, integer>[] Images per size of their files, { ["600x450"] = 12 }.
---@field median integer Of the pixels of a file; 0 without files.
---@field larger integer[] Images with more pixels than the median.
---@field grey integer[] Images whose channels are equal, up to 8 of 255 levels.
---@field exact integer[] Validation and test images with the same bytes as a training image.
---Other validation and test images that look like a training image; nil below 24 pixels a side and
---above 300,000 images.
---@field near? integer[]
---Some of both kinds: the names of the image and of the training image.
---@field pairs { image: string, of: string, exact: boolean }[]

---@param dataset aniso.Dataset
---@return aniso.Survey? survey nil if a file cannot be read
---@return string? message
---@return string? code
function engine.survey(dataset) end

---Opens a file of features.
---@param path string
---@return aniso.Features? features nil if the file is invalid
---@return string? message
---@return string? code
function engine.features(path) end

---Image files as the input of a network, without a data set.
---@param paths string[] 1 to 65536
---@param form aniso.InputForm
---@return aniso.Tensor images (rows,H,W,3), normalised; 0 for an image that could not be read
---@return table<integer, string> reasons of the images that could not be read, by position
function engine.read_images(paths, form) end

---Writes a picture as a PNG file.
---@param path string
---@param picture aniso.Tensor (H,W,3), red, green, blue in [0, 1]; values outside are clamped
---@return true? done
---@return string? message
---@return string? code
function engine.write_png(path, picture) end

---One fold of a cross-validation instead of the split into parts: the fold is tested, data.val of all images
---is taken from the others for validation, and the rest is for training.
---@class aniso.CrossValidation
---@field folds integer How many, 2 … 100.
---@field fold integer The one to test, from 0.
---@field official? boolean The folds that came with the data, instead of a split by data.seed.

---Image sets. aniso.data{"folder", root = DIR, size = 64} opens one, or raises.
---@class aniso.data
---@field kinds table The rules of each kind.
---@field augment table The rules of a recipe's `train.augment`.
---@overload fun(given: aniso.option.data|string, cross?: aniso.CrossValidation, of?: string[]): aniso.Dataset
local data = {}

---A complete copy of the options; raises on a mistake.
---@param given aniso.option.data|string
---@param where? string their name in messages, "data" if left out
---@return aniso.option.data
function data.check(given, where) end

---The first missing file or folder of those that the options name; nil if none is missing.
---@param given aniso.option.data
---@param folder? string base of relative paths that do not exist here
---@return string? path
function data.missing_path(given, folder) end

---The names of the columns image and class in lists of the parts (`aniso data split`).
---@param given aniso.option.data
---@return string[]
function data.columns(given) end

---The options; relative paths that exist below the folder, but not here, become absolute.
---@param given aniso.option.data
---@param folder? string
---@return aniso.option.data given itself if nothing changes
function data.seen_from(given, folder) end

---The data options of a stored run; its `cache` is used only if it already is a cache.
---@param given table
---@return table
function data.of_stored(given) end

---The folder of decoded images for the option `cache`; "" for none.
---@param given? string|false
---@return string
function data.cache_folder(given) end

---The published set that a folder holds.
---@param root string
---@return string? kind nil if it holds none
---@return string|true|nil found the path of its table, or true
function data.recognise(root) end

---@param given aniso.option.data|string
---@param cross? aniso.CrossValidation
---@param stored_classes? string[] those of a stored run, whose order is kept
---@return aniso.Dataset? dataset nil if the files are invalid
---@return string? message
---@return string? code
function data.open(given, cross, stored_classes) end
