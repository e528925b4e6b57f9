---@meta _
-- Options of a recipe's `data`: one class per kind. The parentheses contain the default and the range of the
-- program's rule; a test compares them.

---@alias aniso.option.data
---| aniso.option.data.folder
---| aniso.option.data.csv
---| aniso.option.data.features
---| aniso.option.data.ham10000
---| aniso.option.data.pad_ufes_20
---| aniso.option.data.scin
---| aniso.option.data.hyper_kvasir
---| aniso.option.data.isic2018
---| aniso.option.data.isic2019
---| aniso.option.data.monica
---| aniso.option.data.lesions
---| aniso.option.data.cifar10
---| aniso.option.data.cifar100
---| aniso.option.data.mnist
---| aniso.option.data.medmnist

---How classes become the groups head, medium and tail.
---@alias aniso.option.groups
---| aniso.option.groups.relative
---| aniso.option.groups.counts
---| aniso.option.groups.given

---By size relative to the largest class; neither end is empty on a long-tailed set.
---@class aniso.option.groups.relative
---@field [1] "relative"
---@field head? number Head: at least 1/head of the largest class's images (default 5, at least 1).
---@field tail? number Tail: at most 1/tail of them (default 20, at least 1).

---By the number of training images, after Liu et al. 2019.
---@class aniso.option.groups.counts
---@field [1] "counts"
---@field many? number A class with more images belongs to the head (default 100).
---@field few? number A class with fewer images belongs to the tail (default 20).

---By name; the other classes are in between.
---@class aniso.option.groups.given
---@field [1] "given"
---@field head? string[] Classes of the head.
---@field tail? string[] Classes of the tail.

---Options of every kind of data.
---@class aniso.option.data.any
---@field size? integer|integer[] Side in pixels, or {height, width}: 1 … 1024, 32 if left out.
---@field name? string Name of the set in commands; the kind's name, or the folder's, if left out.
---@field seed? integer Of the split, and of the synthetic images (default 0).
---Share of all images, or of a ready-made training list, that becomes the validation part; 0.1 if left
---out (at least 0, below 1).
---@field val? number
---Share of all images that becomes the test part; 0.2, for lesions 0.3, if left out
---(at least 0, below 1).
---@field test? number
---Whether the split may put a lesion's or a patient's images into several parts. Every method then scores too
---high; use it to measure by how much (default false).
---@field divide_groups? boolean
---Groups of classes for their mean recalls (default "relative").
---@field groups? aniso.option.groups
---Cuts the training part to a long tail; validation and test parts are unchanged. Not cut if left out.
---@field long_tail? aniso.option.data.long_tail

---@alias aniso.option.data.long_tail
---| aniso.option.data.long_tail.exp
---| aniso.option.data.long_tail.step

---Class i of K keeps n·ratio^(−i/(K−1)) images, where n is the size of the largest class: CIFAR-10-LT.
---@class aniso.option.data.long_tail.exp
---@field [1] "exp"
---@field ratio? number Largest over smallest class (default 100, above 1).
---@field order? "class"|"size" Which classes become rare: the last ones, or the smallest (default "class").

---The last classes keep n/ratio images, the others n.
---@class aniso.option.data.long_tail.step
---@field [1] "step"
---@field ratio? number Largest over smallest class (default 100, above 1).
---@field share? number Share of the classes that become rare (default 0.5, above 0, below 1).
---@field order? "class"|"size" Which classes become rare: the last ones, or the smallest (default "class").

---Options of the kinds with image files.
---@class aniso.option.data.files : aniso.option.data.any
---@field root? string The folder with the images.
---@field cache? string|false Folder for decoded images, or false; the user's cache folder if left out.
---@field aspect? "stretch"|"crop"|"pad" How other shapes become `size` (default "stretch").
---JPEGs whose scan ends early or is damaged: "refuse" lists them (default), "accept" decodes what there is,
---counts them and warns. Some of their pixels are then grey or wrong.
---@field damaged? "refuse"|"accept"
---Names in class order. If left out, those of the set, or those found: numbers by value, then strings, in
---which digits compare as whole numbers ("grade 2" before "grade 10").
---@field classes? string[]
---Folder with ready-made lists of the parts: *_train.csv, *_test.csv and optionally *_val.csv, from
---`aniso data split` or published; .txt with lines of path and label, and NumPy's .npy, are read too.
---FOLDER/PREFIX if one folder holds the lists of several sets.
---@field split? string
---@field ratio? integer Which of MONICA's lists: train_100.npy has the imbalance ratio 100 (at least 1).

---Options of the kinds whose labels are the user's own.
---@class aniso.option.data.labels : aniso.option.data.files
---Lists of labels that form one class, its name first: {{"mel", "Mel"}, {"1", "01", "1.0"}}. Otherwise every
---label is its own class.
---@field merge? string[][]
---Labels whose images are not used, such as {"nan", ""}; "" means an empty label.
---@field leave_out? string[]

---A folder with one sub-folder per class, or nested ones. Folders named train, val and test (or training,
---valid, validation, dev, testing, train_set …, in any case) above them are the parts. A single folder around
---all of them is skipped.
---@class aniso.option.data.folder : aniso.option.data.labels
---@field [1] "folder"
---true: the folder of an image is its class, however deep; a number: the folder that many levels below
---`root`. Only folders directly below `root` if left out.
---@field nested? boolean|integer
---The name of a nested class: its folder's, or the path to it; "last" if left out.
---@field class_from? "last"|"path"

---Joins two tables: the rows of the main `table` get the columns of this one.
---@class aniso.option.data.join
---@field table? string The other table's file name below `root`.
---@field on? string The column that identifies a row in both.

---A table of images in CSV; the delimiter is a comma, a semicolon or a tab, whichever the header contains.
---@class aniso.option.data.csv : aniso.option.data.labels
---@field [1] "csv"
---@field table? string The table's file name below `root`.
---@field image? string Column with the image's name (default "image").
---@field label? string Column with the class (default "label").
---@field one_hot? string[] Columns of 0 and 1, one per class, instead of `label`.
---@field group? string Column whose images stay on one side of the split, such as a patient.
---@field no_group? string[] Ids in that column that mean no group, such as {"nan"}: each such image is alone.
---@field fold? string Column with the fold's number.
---@field join? aniso.option.data.join A second table, with `table` and `on`.
---@field extension? string Added to the image's name, such as ".jpg" (default "").
---Folder or folders with the images, below `root` or absolute. If left out: images, `root` itself, and the
---folder of the table. Names in the table may include folders, and may be absolute below `root` or below
---these.
---@field images? string|string[]
---@field strip? string Prefix to remove from the names, such as [[C:\data]]; / and \ are equivalent.
---Column with the part of each image (train, val, test or a usual synonym, in any case), or a folder
---with ready-made lists of the parts.
---@field split? string

---HAM10000 as published; a lesion's images stay on one side of the split.
---@class aniso.option.data.ham10000 : aniso.option.data.files
---@field [1] "ham10000"

---PAD-UFES-20 as published, `root` with metadata.csv and the image folders; a patient's images stay on
---one side of the split.
---@class aniso.option.data.pad_ufes_20 : aniso.option.data.files
---@field [1] "pad_ufes_20"

---SCIN as published, `root` with scin_cases.csv and scin_labels.csv; a case's images stay on one side of
---the split. The class of a case is the condition with the largest weight, if there is only one.
---@class aniso.option.data.scin : aniso.option.data.files
---@field [1] "scin"
---@field threshold? number Weight that the condition must have (default 0.5, above 0, at most 1).
---@field min_images? integer Conditions with fewer images are left out (default 30, at least 1).
---@field classes? string[] Only these conditions, in class order, whatever `min_images` is.

---The labelled images of Hyper-Kvasir as published, `root` with labeled-images.
---@class aniso.option.data.hyper_kvasir : aniso.option.data.files
---@field [1] "hyper_kvasir"
---Which table of official folds is read, if it exists; false for none (default 5).
---@field official_folds? 5|2|boolean

---The training images of the ISIC challenge 2018, task 3, as published, grouped by lesion if
---ISIC2018_Task3_Training_LesionGroupings.csv or HAM10000_metadata.csv exists.
---@class aniso.option.data.isic2018 : aniso.option.data.files
---@field [1] "isic2018"
---Uses the challenge's own validation and test images as parts, from their ground truth tables (default
---false).
---@field official_parts? boolean

---The training images of the ISIC challenge 2019 as published, grouped by lesion if
---ISIC_2019_Training_Metadata.csv exists.
---@class aniso.option.data.isic2019 : aniso.option.data.files
---@field [1] "isic2019"

---Images and class numbers from split lists: MONICA's NumPy files with dic.npy, or text files with lines
---of path and label. `split` is the folder of the lists, which define the parts.
---@class aniso.option.data.monica : aniso.option.data.files
---@field [1] "monica"
---@field class_names? string[] Names of the class numbers 0, 1, …; the numbers if left out.

---Built-in synthetic skin lesions, seven classes in a long tail.
---@class aniso.option.data.lesions : aniso.option.data.any
---@field [1] "lesions"
---@field n? integer Images (default 1400, at least 70).

---Options of the kinds with a few large files, which come with a test part.
---@class aniso.option.data.container : aniso.option.data.any
---@field root? string The folder with the files.
---@field aspect? "stretch"|"crop"|"pad" How other shapes become `size` (default "stretch").

---CIFAR-10, the binary version: data_batch_1.bin … test_batch.bin, batches.meta.txt.
---@class aniso.option.data.cifar10 : aniso.option.data.container
---@field [1] "cifar10"

---CIFAR-100, the binary version, with its 100 fine labels: train.bin, test.bin, fine_label_names.txt.
---@class aniso.option.data.cifar100 : aniso.option.data.container
---@field [1] "cifar100"

---MNIST, Fashion-MNIST, KMNIST: train-images-idx3-ubyte and its companions, also with .gz.
---@class aniso.option.data.mnist : aniso.option.data.container
---@field [1] "mnist"
---@field classes? string[] Names in the order of the labels; the numbers if left out.

---MedMNIST, a file such as dermamnist.npz with one label per image and with training, validation and test
---parts.
---@class aniso.option.data.medmnist : aniso.option.data.container
---@field [1] "medmnist"
---@field file? string The .npz file, below `root` if that is given; the only one there if left out.
---@field classes? string[] Names in the order of the labels; those of the set if left out.
