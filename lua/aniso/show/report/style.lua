-- The style sheet of a report: one set of names for colours, by day, by night (if the reader's
-- screen is dark) and on paper (always by day). Figures use the same names as the text.
local palette = require "aniso.show.plot.palette"

local names = { -- name, day, night
  { "paper", palette.paper.day, palette.paper.night }, { "card", "#f4f6f8", "#20242a" },
  { "ink", "#1b1f24", "#e4e6e9" }, { "soft", "#545c66", "#a9b1bb" }, { "line", "#d3d8de", "#3a4048" },
  { "axis", "#5b646e", "#9aa3ad" }, { "link", "#005a91", "#7cc0f0" }, { "rest", "#878f98", "#737b85" },
  { "warn", "#9a4a00", "#ffb27a" }, { "focus", "#b34700", "#ff9a52" },
}

local page = [[
*{box-sizing:border-box}
body{margin:0 auto;padding:1.5rem 1.25rem 4rem;max-width:62rem;background:var(--paper);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
a{color:var(--link)}h1{font-size:1.9rem;line-height:1.2;margin:.5rem 0 .2rem}
h2{font-size:1.3rem;margin:2.2rem 0 .6rem;padding-top:.6rem;border-top:1px solid var(--line)}
p{max-width:46rem}.lead{color:var(--soft);margin:.2rem 0 1rem}
nav ul{list-style:none;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;font-size:.92rem}
:focus-visible{outline:3px solid var(--focus);outline-offset:2px}
.skip{position:absolute;left:.5rem;top:.5rem;padding:.4rem .8rem;background:var(--paper)}
.skip:not(:focus){left:-99rem}
.verdict{background:var(--card);border-left:.35rem solid var(--s1);border-radius:.3rem;padding:1rem 1.3rem;
margin:1.4rem 0}.verdict p{margin:.5rem 0 0}.verdict .first{font-size:1.3rem;line-height:1.35;margin:0}
.tiles{display:flex;flex-wrap:wrap;gap:.9rem 2.6rem;margin:1rem 0 0}.tiles div{display:flex;
flex-direction:column-reverse}.tiles dt{color:var(--soft);font-size:.85rem}
.tiles dd{margin:0;font-size:1.45rem;font-weight:600;font-variant-numeric:tabular-nums}
.warnings{list-style:none;padding:0;margin:0}.warnings li{padding:.3rem 0 .3rem 2rem;position:relative}
.warnings li::before{content:"!";position:absolute;left:0;top:.4rem;width:1.35rem;height:1.35rem;
border-radius:50%;border:2px solid var(--warn);color:var(--warn);font:700 .85rem/1.1rem system-ui,sans-serif;
text-align:center}.warnings strong{color:var(--warn)}
.wide{overflow-x:auto}figure{margin:1.2rem 0 1.8rem}figcaption{color:var(--soft);font-size:.92rem;
max-width:46rem;margin:.5rem 0}.pair{display:flex;flex-wrap:wrap;gap:0 2rem}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.87rem}
caption{text-align:left;color:var(--soft);font-size:.92rem;padding:.3rem 0}
h3{font-size:1.05rem;margin:1.4rem 0 .3rem}th,td{padding:.25rem .5rem .25rem 0;text-align:left;
border-bottom:1px solid var(--line);vertical-align:top}
.wide tbody th{position:sticky;left:0;background:var(--paper);max-width:40vw;overflow-wrap:break-word}
thead th{border-bottom:2px solid var(--axis)}tbody th{font-weight:400}td.num,th.num{text-align:right;
white-space:nowrap}
tr.best th,tr.best td{background:var(--card)}
summary{cursor:pointer;color:var(--link);font-size:.92rem;width:fit-content}
pre{background:var(--card);padding:.8rem 1rem;border-radius:.3rem;white-space:pre-wrap;overflow-wrap:anywhere;
font-size:.88rem}dl.facts{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1.2rem;margin:.6rem 0}
dl.facts dt{color:var(--soft)}dl.facts dd{margin:0;overflow-wrap:anywhere}
footer{margin-top:3rem;color:var(--soft);font-size:.88rem;border-top:1px solid var(--line);padding-top:.8rem}
.examples{display:grid;grid-template-columns:repeat(auto-fill,minmax(17.5rem,1fr));gap:1.2rem 1.6rem}
.examples figure{margin:0}.examples figcaption{margin:.3rem 0 0;color:var(--ink)}
.examples .facts{color:var(--soft)}
]]

local drawing = [[
svg{display:block;max-width:100%;height:auto}
svg text{font:13.5px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:var(--ink)}
svg .soft{fill:var(--soft)}svg .strong{font-weight:600}svg .small{font-size:10.5px}
.axis{stroke:var(--axis);fill:none}.grid{stroke:var(--line);fill:none}.zero{stroke:var(--axis);
stroke-dasharray:4 3;fill:none}.band{fill:var(--card)}.stroke{stroke:currentColor;fill:none;stroke-width:2.2;
stroke-linejoin:round}.stroke.thin{stroke-width:1;opacity:.75}.bar{stroke:currentColor;
fill:none;stroke-width:1.8;stroke-dasharray:none}.dot{fill:var(--paper);stroke:currentColor;stroke-width:1.3;
stroke-dasharray:none}.mark{fill:currentColor;stroke:var(--paper);stroke-width:1;stroke-dasharray:none}
@media (max-width:34rem){svg .small{font-size:13.5px}}
@media screen and (min-width:60rem){svg[width="450"]{width:35rem}svg[width="450"] text{font-size:11.5px}}
.area{fill:currentColor;opacity:.3}.rest{color:var(--rest)}.frame{fill:none;stroke:var(--axis)}
.crop{fill:none;stroke-width:1.5;vector-effect:non-scaling-stroke}.crop.under{stroke:#000;stroke-width:3.5}
.crop.over{stroke:#ffd54a}.heat{fill:#ff7a00}.grey{filter:grayscale(1)}image{image-rendering:pixelated}
]]

local paper = [[
@page{margin:1.5cm}@media print{body{max-width:none;padding:0;font-size:10.5pt}nav,.skip,
details:not([open]){display:none}h2,h3{break-after:avoid}h2{margin-top:1.6rem}figure,tr,li,.verdict{
break-inside:avoid}.wide{overflow:visible}table{max-width:100%;font-size:8.5pt}
th,td,td.num,th.num{
white-space:normal;overflow-wrap:anywhere}
.verdict,pre,.band,svg{
print-color-adjust:exact;-webkit-print-color-adjust:exact}a{color:inherit;text-decoration:none}}
]]

local function variables(which)
  local out = {}
  for _, name in ipairs(names) do out[#out + 1] = ("--%s:%s"):format(name[1], name[which + 1]) end
  for i, series in ipairs(palette.series) do out[#out + 1] = ("--s%d:%s"):format(i, series[which]) end
  return table.concat(out, ";")
end

-- The colour of a cell, and that of the text directly after it.
local function levels(time)
  local out = {}
  for level = 0, palette.LEVELS do
    for letter, map in pairs { q = palette.sequential, d = palette.diverging } do
      local colour = map(level)[time]
      out[#out + 1] = (".%s%d{fill:%s}.%s%d+text{fill:%s}"):format(letter, level, colour, letter, level,
        palette.ink_on(colour))
    end
  end
  table.sort(out)
  return table.concat(out)
end

local style = { names = names }

function style.sheet()
  local series = {}
  for i, s in ipairs(palette.series) do
    series[i] = (".s%d{color:var(--s%d)}"):format(i, i)
    if s[3] then series[i] = series[i] .. (".s%d .stroke:not(.thin){stroke-dasharray:%s}"):format(i, s[3]) end
  end
  return table.concat { ":root{color-scheme:light dark;", variables(1), "}\n", page, drawing,
    table.concat(series), "\n", levels "day", "\n@media screen and (prefers-color-scheme:dark){:root{",
    variables(2), "}", levels "night", "}\n", paper }
end

return style
