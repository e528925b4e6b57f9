---@meta _
-- Drawing: aniso.plot, the exploring methods of Schedule, aniso.compare_schedules.

---Where and how to draw: on the terminal, or as SVG in a file.
---@class aniso.PlotTarget
---@field file? string The SVG file; drawn on the terminal if left out.
---@field force? boolean Replace a file that is not an earlier figure of aniso.
---@field width? integer Characters on the terminal, pixels in a file (at least 8, at most 4000).
---@field height? integer Rows on the terminal, pixels in a file (at least 8, at most 4000).
---@field ascii? boolean No braille characters; depends on the locale if left out.
---@field colour? boolean Depends on the terminal if left out.

---A line; all lists have the same length. A value that is not finite interrupts it.
---@class aniso.Series
---@field label? string
---@field style? integer Index of its colour and letter.
---@field x number[]|aniso.Tensor
---@field y number[]|aniso.Tensor
---@field error? (number|false)[] Half the length of each error bar; false draws none.
---@field dots? number[][] Points {x, y} next to the line, one per seed for example.
---@field low? (number|false)[] Lower end of each bar.
---@field high? (number|false)[] Upper end of each bar.

---@class aniso.Figure
---@field title? string
---@field x? string Name of the axis, "x" if left out.
---@field y? string Name of the axis.
---@field series aniso.Series[]
---@field marks? { x: number, y: number, label: string }[]

---Lines with error bars, on the terminal or as SVG.
---@class aniso.plot
---@field target table The rules of PlotTarget.
local plot = {}

---The figures as text for a terminal.
---@param figures aniso.Figure|aniso.Figure[]
---@param target? aniso.PlotTarget
---@return string
function plot.terminal(figures, target) end

---The figures as the text of an SVG file.
---@param figures aniso.Figure|aniso.Figure[]
---@param target? aniso.PlotTarget
---@return string
function plot.svg(figures, target) end

---Draws on the terminal, or into target.file.
---@param figures aniso.Figure|aniso.Figure[]
---@param target? aniso.PlotTarget
---@return string? file that was written
---@return string? message
---@return string? code
function plot.draw(figures, target) end

---Like draw(), with options that have already been checked.
---@param figures aniso.Figure|aniso.Figure[]
---@param target aniso.PlotTarget
---@return string? file that was written
---@return string? message
---@return string? code
function plot.show(figures, target) end

---A complete copy of a figure with its limits; raises if it is invalid.
---@param given aniso.Figure
---@return aniso.Figure
function plot.figure(given) end

---The option rules of a function that draws: its own and those of PlotTarget.
---@param own table changed
---@return table own
function plot.options(own) end

---A table of results that prints as figures.
---@param fields table
---@param figures aniso.Figure|aniso.Figure[]
---@return table fields
function plot.result(fields, figures) end

---@class aniso.Schedule
local Schedule = {}

---What is drawn of a schedule.
---@class aniso.SchedulePlot : aniso.PlotTarget
---@field what? "all"|"signal"|"noise"|"snr" "snr" is ln(a²/s²).
---@field class? integer|integer[] 1 … K; all, or seven of many, if left out.

---Signal, noise and log-SNR of the classes over time.
---@param how? aniso.SchedulePlot what is "all" if left out
function Schedule:plot(how) end

---The range of γ over which the bound is drawn.
---@class aniso.BoundCurve
---@field gamma? number[] {from, to, n}, {−0.25, 0.75, 41} if left out.

---The balanced-error bound E(λ) = 1/K Σ_j [A / (λ_j^p √n_j) + Dn λ_j^q]; needs counts. Without levels: E of
---λ_j ∝ n_j^(−γ) over γ, as {gamma, value, minimum, own, terms}; own is E at the levels in force, terms its
---generalisation and denoising terms per class; it prints as a plot. With levels: E there, and its terms.
---@param how? number[]|aniso.Tensor|aniso.BoundCurve K levels above 0, or what to draw
---@return table|number curve the curve, or E at the levels given
---@return { generalisation: number, denoising: number }[]? terms with levels: the two terms of each class
function Schedule:bound(how) end

---The curve that bound() returns without levels.
---@param how? aniso.BoundCurve
---@return table curve
function Schedule:bound_curve(how) end

---@class aniso.Simulation
---@field y0 integer|number[]|aniso.Tensor A class 1 … K, or a label vector.
---@field prior? number[]|aniso.Tensor The mean m, 1/K if left out.
---@field n? integer Paths (default 2000, at least 2, at most 1000000).
---@field seed? integer Of the noise (default 0).
---@field points? integer Times at which the paths are recorded (default 40, at least 1).
---@field quantiles? number[] 0 … 1 (default {0.05, 0.5, 0.95}).

---Paths of the label vector through the Markov chain, step by step; it prints as a plot.
---@param how aniso.Simulation
---@return { t: aniso.Tensor, mean: aniso.Tensor, sd: aniso.Tensor, quantile: aniso.Tensor? } (S), (S,K)
function Schedule:simulate(how) end

---@class aniso.ShareOptions
---@field draws? integer Of the Monte Carlo estimate (default 65536, 2 … 4194304); fewer for many classes.
---@field seed? integer Of the draws (default 0).
---@field points? integer Intervals of time (default 50, 1 … 1000).

---The result of s:share(), s:tilt(), s:simulate() and s:bound(): it prints as a plot and has the fields that
---each of them lists.
---@class aniso.Result
local Result = {}

---Draws the plot again: on the terminal, or as an SVG file.
---@param target? aniso.PlotTarget
---@return string? file The file, if one is written; nil, message, code if it cannot be written.
function Result:plot(target) end

---The result of s:share(): the share of time in which the image is needed.
---@class aniso.Share : aniso.Result
---@field share number[] R_c of each class, 0 … 1.
---@field error number[] Its standard error.
---@field mean number Mean of R_c over the classes.
---@field mean_error number Its standard error.
---@field draws integer Draws that were made.
---@field t integer[] Ends of the intervals of time.
---@field curve number[][] [class][interval]: the same in each interval.

---The image-needed share R_c = E_t[1 − q_c(y_t)] of each class c, where q is the posterior given only y_t and
---the class shares: how much of the time the image must decide. Known before any training. The result prints
---as a plot; its :plot { file = "share.svg" } writes a file.
---@param how? aniso.ShareOptions
---@return aniso.Share share
function Schedule:share(how) end

---@class aniso.TiltOptions
---@field class_weight? aniso.option.loss.class_weight|string The weights of the loss (default "none").
---@field level? "mixture"|"max"|"min"|number Test level of the coupling sample (default "mixture").
---@field times? integer[] 1 … T; 50 of them if left out.

---The result of s:tilt().
---@class aniso.ImpliedTilt : aniso.Result
---@field t integer[] Times.
---@field tilt number[][] [class][time]: κ; −∞ if a class is never trained.
---@field at_T number[] κ of each class at T, where a chain starts.
---@field level? number λ* of the coupling sample.

---The log-odds shift κ that the coupling and class weights give each class over time, known before any
---training; 0 is a class of λ = 1 and weight 1. In the coupling sample it is that of the noisy end. The
---result prints as a plot; its :plot { file = "tilt.svg" } writes a file.
---@param how? aniso.TiltOptions
---@return aniso.ImpliedTilt tilt
function Schedule:tilt(how) end
