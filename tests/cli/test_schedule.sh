# aniso schedule: the table, the drawings, the bound, errors.
. tests/cli/tap.sh

counts=6705,1113,1099,514,327,142,115

expect "a table of classes" 0 "$aniso" schedule cosine --T 100 --lambda bound --counts $counts
output_has out "^class +n +lambda +a_25 +s_25 +a_50 +s_50 +a_75 +s_75 +a_100 +s_100$"
output_has out "^ +7 +115 +1\.4274 "
expect "as CSV" 0 "$aniso" schedule --lambda bound --counts $counts --times 0,500 --format csv
equals "a class is a row" "$(tr -d '\r' <"$dir/out" | sed -n 1,2p)" "class,n,lambda,a_0,s_0,a_500,s_500
1,6705,0.5165533,1,0,0.7027401,0.3675002"
expect "as JSON" 0 "$aniso" schedule linear --K 2 --T 4 --format json
output_has out '"class": 2, "n": null, "lambda": 1'
expect "a policy with its options" 0 "$aniso" schedule --counts 900,9 --lambda '{"power", gamma = 0.5}'
output_has out "^ +2 +9 +1\.8182 "
expect "options by --set" 0 "$aniso" schedule --K 1 --T 8 --set offset=0.5 --times 8
expect "sample coupling scales the noise by the class" 0 "$aniso" schedule --coupling sample \
    --lambda '{"manual", 1, 3}' --times 1000 --format csv
output_has out "^2,,1\.5,.*,1\.5"

expect "class_speed shifts the log-SNR of an image of the class" 0 "$aniso" schedule --coupling class_speed \
    --lambda '{"manual", 1, 3, normalise = "none"}' --times 500 --format csv
output_has out "^1,,1,0\.702[0-9]*,0\.711"
output_has out "^2,,3,0\.312[0-9]*,0\.949"

expect "a drawing below the table" 0 "$aniso" schedule --counts $counts --lambda bound --plot
equals "signal, noise and SNR" "$(grep -cE '^(Signal|Noise|log-SNR)' "$dir/out")" 3
expect "a single drawing" 0 "$aniso" schedule --counts $counts --lambda bound --plot noise
equals "noise only" "$(grep -cE '^(Signal|Noise|log-SNR)' "$dir/out")" 1
equals "no colours in a pipe" "$(grep -c "$(printf '\033')" "$dir/out")" 0
expect "ASCII in a locale without UTF-8" 0 env LC_ALL=C "$aniso" schedule --K 2 --plot snr
equals "only ASCII below the table" \
    "$(sed '1,/^$/d' "$dir/out" | LC_ALL=C grep -c '[^ -~]')" 0
expect "an SVG file" 0 "$aniso" schedule --K 2 --format csv --svg "$dir/x.svg"
output_has err "^written to .*x\.svg$"
equals "the SVG file is complete" "$(head -c 4 "$dir/x.svg")$(tail -n 1 "$dir/x.svg")" "<svg</svg>"

expect "the bound" 0 env LC_ALL=C.UTF-8 "$aniso" schedule --lambda bound --counts $counts --bound --svg "$dir/bound.svg"
output_has out "smallest E = 1\.04577 at γ = 0\.25"
equals "the bound is drawn into the file" "$(grep -c 'Bound E(λ)' "$dir/bound.svg")" 3
expect "the bound as rows" 0 "$aniso" schedule --counts $counts --bound --format csv
output_has out "^0\.25,1\.0457"

expect "classes by number" 0 "$aniso" schedule --counts $counts --lambda bound --plot noise --class 1,7
equals "are two lines" "$(grep -oE '[a-z] class [0-9]+: n' "$dir/out" | tr '\n' ' ')" "a class 1: n b class 7: n "
expect "--compare" 0 env LC_ALL=C.UTF-8 "$aniso" schedule cosine --counts $counts --lambda bound \
    --compare linear --compare '{lambda = "isotropic"}' --class 7
output_has out "^log-SNR ln\(a²/s²\) of class 7$"
output_has out "a cosine bound: λ 1\.43 +b linear: λ 1\.43"
output_has out 'c \{lambda = "isotropic"\}: λ 1$'
expect "paths" 0 env LC_ALL=C.UTF-8 "$aniso" schedule --T 50 --counts 900,90,9 --lambda bound --simulate 3
output_has out "^2000 paths of class 3: mean of y, bars from 5% to 95%$"
expect "paths as rows" 0 "$aniso" schedule --T 50 --counts 900,90,9 --simulate 3 --paths 50 \
    --prior 0.8,0.1,0.1 --format csv --svg "$dir/paths.svg"
output_has out "^t,class,mean,sd,q05,q50,q95"
output_has out "^0,3,1,"
equals "paths have 41 times for three classes" "$(wc -l <"$dir/out" | tr -d ' ')" 124
equals "the paths are drawn" "$(tail -n 1 "$dir/paths.svg")" "</svg>"

expect "the image-needed share" 0 env LC_ALL=C.UTF-8 "$aniso" schedule --counts $counts --lambda bound --share \
    --svg "$dir/share.svg"
output_has out "^Image-needed share .*, λ bound, mean 0\.548 ± "
equals "the share is drawn into the file" "$(grep -c 'Image-needed share' "$dir/share.svg")" 3
expect "the image-needed share as rows" 0 "$aniso" schedule --counts $counts --share --format csv
equals "a row per class" "$(tr -d '\r' <"$dir/out" | cut -c 1-6 | sed -n '1,2p;8p' | tr '\n' ' ')" "class, 1,0.20 7,0.72 "
expect "the implied tilt" 0 env LC_ALL=C.UTF-8 "$aniso" schedule --counts 900,9 --coupling class_speed \
    --lambda '{"manual", 0.5, 2, normalise = "none"}' --tilt --svg "$dir/tilt.svg"
output_has out "^Implied tilt .*, T = 1000, coupling class_speed, λ manual$"
equals "the tilt is drawn into the file" "$(grep -c 'Implied tilt' "$dir/tilt.svg")" 3
expect "the implied tilt as rows" 0 "$aniso" schedule --counts 900,9 --tilt --class-weight \
    '{"manual", values = {1, 1}}' --times 1,1000 --format csv
equals "a row per time and class" "$(tr -d '\r' <"$dir/out" | tr '\n' ' ')" \
    "t,class,tilt 1,1,0 1,2,0 1000,1,0 1000,2,0 "
expect "a step that a class never reaches" 0 "$aniso" schedule linear --counts 900,9 --coupling class_speed \
    --lambda '{"manual", 0.1, 2, normalise = "none"}' --tilt --times 999 --format json
output_has out '"t": 999, "class": 1, "tilt": null'

schedule_fails() { # NAME MESSAGE ARGUMENTS…
    name=$1 message=$2
    shift 2
    expect "$name" 2 "$aniso" schedule "$@"
    output_has err "$message"
    equals "$name: no data on stdout" "$(cat "$dir/out")" ""
}
schedule_fails "no classes" "give counts"
schedule_fails "an unknown base" "must be one of cosine, linear" csine --K 2
schedule_fails "a misspelt policy" "did you mean bound\?" --K 2 --lambda bond
schedule_fails "a misspelt option" "did you mean schedule.offset\?" --K 2 --set ofset=1
schedule_fails "invalid counts" "whole numbers separated by commas" --counts 3,x
schedule_fails "a time after the end" "t = 2000 is outside" --K 2 --times 2000
schedule_fails "--plot with --format csv" "leave out --format csv" --K 2 --plot --format csv
schedule_fails "a picture of another kind" "ends in \.svg" --K 2 --svg x.png
schedule_fails "an unknown class" "class 9 is not one of" --K 2 --simulate 9
schedule_fails "an unknown class to draw" "class 9 is not one of" --K 2 --plot --class 9
schedule_fails "an unknown schedule to compare" "must be one of cosine, linear" --K 2 --compare csine
schedule_fails "--paths without --simulate" "belong to --simulate" --K 2 --paths 9
schedule_fails "a prior of other classes" "prior has 3 values for 2" --K 2 --simulate 1 --prior 0.1,0.2,0.7
schedule_fails "--bound with --simulate" "one of them" --counts 9,3 --bound --simulate 1
schedule_fails "--share with --tilt" "one of them" --counts 9,3 --share --tilt
schedule_fails "--share with --plot" "draws itself" --counts 9,3 --share --plot
schedule_fails "--level without --tilt" "belong to --tilt" --counts 9,3 --level max
schedule_fails "a tilt of unknown weights" "did you mean power\?" --counts 9,3 --tilt --class-weight powr
schedule_fails "a bound without counts" "has no counts" --K 2 --bound
expect "a missing folder" 1 "$aniso" schedule --K 2 --svg "$dir/none/x.svg"
output_has err "No such file"
finish
