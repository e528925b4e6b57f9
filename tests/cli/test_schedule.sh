# aniso schedule: the table, the drawings, the bound, what it refuses.
. tests/cli/tap.sh

counts=6705,1113,1099,514,327,142,115

expect "a table of classes" 0 "$aniso" schedule cosine --T 100 --lambda bound --counts $counts
says out "^class +n +lambda +a_25 +s_25 +a_50 +s_50 +a_75 +s_75 +a_100 +s_100$"
says out "^ +7 +115 +1\.4274 "
expect "as CSV" 0 "$aniso" schedule --lambda bound --counts $counts --times 0,500 --format csv
same "a class is a row" "$(tr -d '\r' <"$dir/out" | sed -n 1,2p)" "class,n,lambda,a_0,s_0,a_500,s_500
1,6705,0.5165533,1,0,0.7027401,0.3675002"
expect "as JSON" 0 "$aniso" schedule linear --K 2 --T 4 --format json
says out '"class": 2, "n": null, "lambda": 1'
expect "a policy with its options" 0 "$aniso" schedule --counts 900,9 --lambda '{"power", gamma = 0.5}'
says out "^ +2 +9 +1\.8182 "
expect "options by --set" 0 "$aniso" schedule --K 1 --T 8 --set offset=0.5 --times 8
expect "sample coupling scales the noise by the class" 0 "$aniso" schedule --coupling sample \
    --lambda '{"manual", 1, 3}' --times 1000 --format csv
says out "^2,,1\.5,.*,1\.5"

expect "class_speed shifts the log-SNR of an image of the class" 0 "$aniso" schedule --coupling class_speed \
    --lambda '{"manual", 1, 3, normalise = "none"}' --times 500 --format csv
says out "^1,,1,0\.702[0-9]*,0\.711"
says out "^2,,3,0\.312[0-9]*,0\.949"

expect "a drawing below the table" 0 "$aniso" schedule --counts $counts --lambda bound --plot
same "signal, noise and SNR" "$(grep -cE '^(Signal|Noise|log-SNR)' "$dir/out")" 3
expect "one of them" 0 "$aniso" schedule --counts $counts --lambda bound --plot noise
same "noise only" "$(grep -cE '^(Signal|Noise|log-SNR)' "$dir/out")" 1
same "no colours in a pipe" "$(grep -c "$(printf '\033')" "$dir/out")" 0
expect "plain letters in a plain locale" 0 env LC_ALL=C "$aniso" schedule --K 2 --plot snr
same "nothing but ASCII below the table" \
    "$(sed '1,/^$/d' "$dir/out" | LC_ALL=C grep -c '[^ -~]')" 0
expect "an SVG file" 0 "$aniso" schedule --K 2 --format csv --svg "$dir/x.svg"
says err "^written to .*x\.svg$"
same "a whole one" "$(head -c 4 "$dir/x.svg")$(tail -n 1 "$dir/x.svg")" "<svg</svg>"

expect "the bound" 0 env LC_ALL=C.UTF-8 "$aniso" schedule --lambda bound --counts $counts --bound --svg "$dir/bound.svg"
says out "smallest E = 1\.04577 at γ = 0\.25"
same "is drawn into the file" "$(grep -c 'Bound E(λ)' "$dir/bound.svg")" 3
expect "the bound as rows" 0 "$aniso" schedule --counts $counts --bound --format csv
says out "^0\.25,1\.0457"

expect "classes by number" 0 "$aniso" schedule --counts $counts --lambda bound --plot noise --class 1,7
same "are two lines" "$(grep -oE '[a-z] class [0-9]+: n' "$dir/out" | tr '\n' ' ')" "a class 1: n b class 7: n "
expect "beside others" 0 env LC_ALL=C.UTF-8 "$aniso" schedule cosine --counts $counts --lambda bound \
    --compare linear --compare '{lambda = "isotropic"}' --class 7
says out "^log-SNR ln\(a²/s²\) of class 7$"
says out "a cosine bound: λ 1\.43 +b linear: λ 1\.43"
says out 'c \{lambda = "isotropic"\}: λ 1$'
expect "paths" 0 env LC_ALL=C.UTF-8 "$aniso" schedule --T 50 --counts 900,90,9 --lambda bound --simulate 3
says out "^2000 paths of class 3: mean of y, bars from 5% to 95%$"
expect "paths as rows" 0 "$aniso" schedule --T 50 --counts 900,90,9 --simulate 3 --paths 50 \
    --prior 0.8,0.1,0.1 --format csv --svg "$dir/paths.svg"
says out "^t,class,mean,sd,q05,q50,q95"
says out "^0,3,1,"
same "at 41 times for three classes" "$(wc -l <"$dir/out" | tr -d ' ')" 124
same "and drawn" "$(tail -n 1 "$dir/paths.svg")" "</svg>"

refused() { # NAME MESSAGE ARGUMENTS…
    name=$1 message=$2
    shift 2
    expect "$name" 2 "$aniso" schedule "$@"
    says err "$message"
    same "prints no data" "$(cat "$dir/out")" ""
}
refused "no classes" "give counts"
refused "a base that nobody has" "must be one of cosine, linear" csine --K 2
refused "a policy misspelt" "did you mean bound\?" --K 2 --lambda bond
refused "an option misspelt" "did you mean schedule.offset\?" --K 2 --set ofset=1
refused "counts that are none" "whole numbers separated by commas" --counts 3,x
refused "a time after the end" "t = 2000 is outside" --K 2 --times 2000
refused "a drawing in a CSV" "leave out --format csv" --K 2 --plot --format csv
refused "a picture of another kind" "ends in \.svg" --K 2 --svg x.png
refused "a class that is none" "class 9 is not one of" --K 2 --simulate 9
refused "a class to draw that is none" "class 9 is not one of" --K 2 --plot --class 9
refused "another schedule that is none" "must be one of cosine, linear" --K 2 --compare csine
refused "paths of nothing" "belong to --simulate" --K 2 --paths 9
refused "a prior of other classes" "prior has 3 values for 2" --K 2 --simulate 1 --prior 0.1,0.2,0.7
refused "two things at once" "one of them" --counts 9,3 --bound --simulate 1
refused "a bound without counts" "has no counts" --K 2 --bound
expect "a folder that is not there" 1 "$aniso" schedule --K 2 --svg "$dir/none/x.svg"
says err "No such file"
finish
