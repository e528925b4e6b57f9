-- The colours of all drawings, by day (on white) and by night (on near black),
-- distinguishable even with red-green colour blindness; tests/lua/test_palette.lua
-- checks contrasts, uniformity, and differences under simulated colour blindness.
--   series: for categories, after Okabe and Ito, each with its own dash pattern
--   sequential(level), diverging(level): maps of even steps in OKLab (Ottosson 2020)
local palette = {}

palette.paper = { day = "#ffffff", night = "#16181c" }

-- Day, night, dashes.
palette.series = {
  { "#0072b2", "#56a8e0" }, { "#d55e00", "#ff8a3d", "7 3" }, { "#009e73", "#2bc59a", "2 3" },
  { "#b8578f", "#e19ac2", "9 3 2 3" }, { "#a87400", "#e6b143", "12 4" }, { "#2f8fc4", "#8fd0f5", "4 2" },
  { "#666666", "#b5b5b5", "2 2 6 2" }, { "#8a7f00", "#f0e442", "1 3" },
}

-- ── colours as numbers ──────────────────────────────────────────────────────────────────
local function to_linear(byte)
  local v = byte / 255
  return v <= 0.04045 and v / 12.92 or ((v + 0.055) / 1.055) ^ 2.4
end

local function to_byte(v)
  v = v <= 0.0031308 and 12.92 * v or 1.055 * v ^ (1 / 2.4) - 0.055
  return math.floor(255 * v + 0.5)
end

-- "#0072b2" → linear red, green, blue, 0 … 1
function palette.linear(hex)
  local r, g, b = hex:match "^#(%x%x)(%x%x)(%x%x)$"
  return to_linear(tonumber(r, 16)), to_linear(tonumber(g, 16)), to_linear(tonumber(b, 16))
end

local function cube(v) return v * v * v end
local function root(v) return v < 0 and -(-v) ^ (1 / 3) or v ^ (1 / 3) end

-- Linear red, green, blue → OKLab's L, a, b.
function palette.oklab(r, g, b)
  local l = root(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
  local m = root(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
  local s = root(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
  return 0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s
end

local function from_oklab(L, a, b)
  local l = cube(L + 0.3963377774 * a + 0.2158037573 * b)
  local m = cube(L - 0.1055613458 * a - 0.0638541728 * b)
  local s = cube(L - 0.0894841775 * a - 1.2914855480 * b)
  return 4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s
end

-- Lightness, chroma, hue in degrees → "#rrggbb". A colour outside sRGB raises.
local function hex_of(L, chroma, hue)
  local angle = math.rad(hue)
  local out = {}
  for i, v in ipairs { from_oklab(L, chroma * math.cos(angle), chroma * math.sin(angle)) } do
    assert(v > -0.001 and v < 1.001, "a colour outside sRGB")
    out[i] = to_byte(math.min(1, math.max(0, v)))
  end
  return ("#%02x%02x%02x"):format(table.unpack(out))
end

-- (L1 + 0.05) / (L2 + 0.05) for the relative luminances (WCAG 2): 1 … 21.
function palette.contrast(one, other)
  local function luminance(hex)
    local r, g, b = palette.linear(hex)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  end
  local a, b = luminance(one), luminance(other)
  return (math.max(a, b) + 0.05) / (math.min(a, b) + 0.05)
end

-- Black or white, whichever has more contrast on a colour.
function palette.ink_on(hex)
  return palette.contrast(hex, "#000000") > palette.contrast(hex, "#ffffff") and "#000000" or "#ffffff"
end

-- ── maps ────────────────────────────────────────────────────────────────────────────────
palette.LEVELS = 20 -- a map has the levels 0 … LEVELS; a diverging one is neutral in the middle

local BLUE, ORANGE = 252, 58 -- hues that are distinguishable with any colour vision

-- Level 0 is nearly the paper's colour, the highest level a deep blue (day) or a bright one (night).
function palette.sequential(level)
  local s = level / palette.LEVELS
  return { day = hex_of(0.975 - 0.575 * s, 0.004 + 0.112 * s, BLUE),
    night = hex_of(0.25 + 0.59 * s, 0.008 + 0.066 * s, BLUE) }
end

-- Lower is blue, higher is orange.
function palette.diverging(level)
  local s = 2 * level / palette.LEVELS - 1
  local hue, far = s < 0 and BLUE or ORANGE, math.abs(s)
  return { day = hex_of(0.975 - 0.375 * far, 0.13 * far, hue),
    night = hex_of(0.25 + 0.47 * far, 0.12 * far, hue) }
end

-- The level for a share 0 … 1.
function palette.level(share)
  return math.floor(math.min(1, math.max(0, share)) * palette.LEVELS + 0.5)
end

return palette
