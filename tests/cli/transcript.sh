# What the tests of sessions share: $aniso, and $dir, a new folder with ./aniso and recipes/.
aniso=${ANISO:-./aniso}
case $aniso in /*) ;; *) aniso=$PWD/$aniso ;; esac
dir=$(cd "$(mktemp -d)" && pwd -P)
trap 'rm -rf "$dir"' EXIT
ln -s "$aniso" "$dir/aniso"
cp -r recipes "$dir/recipes"
unset ANISO_DB COLUMNS
export LC_ALL=C.UTF-8
