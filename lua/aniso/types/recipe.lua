---@meta _
-- A recipe: the study it describes and the configuration of each of its runs.

---Every option of a run; what a recipe leaves out has a default.
---@class aniso.Config
---@field data? aniso.option.data|string Which images, and how they are split (default "lesions").
---@field backbone? aniso.option.backbone|string The network behind priors and denoiser (default "resnet").
---@field prior? aniso.option.prior The prior networks.
---@field schedule? aniso.option.schedule|string Noise levels over time and over classes.
---@field denoiser? aniso.option.denoiser|string The reverse process's network (default "cross_attention").
---@field loss? aniso.option.loss What is minimised.
---@field train? aniso.option.train How the weights are trained.
---@field select? aniso.option.select How the weights to evaluate are chosen.
---The reverse chains of an evaluation: a kind, or a step function(chain, y, output, t, u) that gives y
---at time u (default "ddim").
---@field sampler? aniso.option.sampler|string|function

---Option values by dotted name, {label = "ddpm", ["schedule.lambda"] = "isotropic"}.
---@alias aniso.Variation table<string, any>

---What aniso.study{…} takes: runs are variants × vary × seeds of one base configuration.
---@class aniso.StudyOptions
---@field name? string What the study is called in the database; needed.
---@field description? string The question that it answers.
---@field data? aniso.option.data|string The data of every run; needed.
---@field base? aniso.Config The configuration that all runs share; needed.
---@field vary? aniso.Variation[][] Axes, each a list of variations, as aniso.grid writes them.
---@field variants? aniso.Variation[] Named variations.
---@field seeds? integer|integer[]|string 3 is 0 … 2; a list; "0..4" or "1,5". {0} if left out.
---No lock-step of a staged study's points: the same bits, later (default false).
---@field one_by_one? boolean
---@field baseline? string|aniso.Variation Label of the variant to compare with, or one variant more.

---A checked study, for `aniso run`.
---@class aniso.Study : aniso.StudyOptions
---@field is_study true
