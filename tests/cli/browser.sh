# Sourced by test scripts after tap.sh: renders a page in Chromium.
#   require_browser           ends the script with a skipped test if no Chromium works
#   browse PAGE WIDTH [FLAG…] renders $dir/PAGE in a frame of WIDTH pixels. Then `value NAME` prints a
#                             measurement; $dir/err has the console, $dir/urls the network requests
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome)

headless() {
    HOME=$dir timeout 60 "$chromium" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
        --no-first-run --user-data-dir="$dir/browser" "$@"
}

skip() {
    echo "ok $((number = number + 1)) - the page in a browser # SKIP $1"
    finish
}

# A browser in a snap, for example, cannot read files in every folder.
require_browser() {
    [ -n "$chromium" ] || skip "no Chromium is installed"
    echo '<p>it reads</p>' >"$dir/probe.html"
    headless --dump-dom "file://$dir/probe.html" 2>/dev/null | grep -q 'it reads' ||
        skip "$chromium does not show files of $dir"
}

# Requests that Chromium makes by itself are not the page's.
own='^https?://[a-z0-9.-]*(google|googleapis|gvt1)\.com/'

browse() {
    page=$1 width=$2
    shift 2
    cat >"$dir/frame.html" <<HTML
<!DOCTYPE html>
<script>
function measure(frame) {
  const page = frame.contentDocument, root = page.documentElement
  const style = e => frame.contentWindow.getComputedStyle(e)
  const large = e => e.getBoundingClientRect().width > 90 && e.getBoundingClientRect().height > 30
  const bare = e => style(e).fill == "none" && style(e).stroke == "none"
  const figures = [...page.querySelectorAll("svg")]
  const outside = text => {
    const t = text.getBoundingClientRect(), f = text.ownerSVGElement.getBoundingClientRect()
    return t.left < f.left || t.right > f.right || t.top < f.top || t.bottom > f.bottom
  }
  const letters = text => parseFloat(style(text).fontSize) *
    text.ownerSVGElement.getBoundingClientRect().width / text.ownerSVGElement.viewBox.baseVal.width
  const found = {
    figures: figures.length, drawn: figures.filter(large).length,
    inked: figures.filter(f => f.querySelector("path, rect, image")).length,
    unpainted: [...page.querySelectorAll("svg path, svg rect")].filter(bare).length,
    beyond: figures.filter(f => f.getBoundingClientRect().right > f.parentElement.getBoundingClientRect().right + 1).length,
    spilt: [...page.querySelectorAll("table")].filter(t => t.scrollWidth > t.parentElement.clientWidth + 1).length,
    cut: [...page.querySelectorAll("svg text")].filter(outside).length,
    smallest: Math.min(...[...page.querySelectorAll("svg text")].map(letters)).toFixed(1),
    overflow: root.scrollWidth - root.clientWidth, scripts: page.scripts.length,
    paper: style(page.body).backgroundColor }
  const lines = Object.entries(found).map(entry => entry.join(" ")).join("\n")
  document.body.append(Object.assign(document.createElement("pre"), { textContent: "\n" + lines + "\n" }))
}
</script>
<iframe width="$width" height="900" src="$page" onload="measure(this)"></iframe>
HTML
    headless --disable-background-networking --disable-component-update --disable-sync \
        --disable-extensions --allow-file-access-from-files --enable-logging=stderr --v=0 \
        --log-net-log="$dir/net.json" "$@" --dump-dom "file://$dir/frame.html" >"$dir/out" 2>"$dir/log"
    grep ':CONSOLE' "$dir/log" >"$dir/err"
    grep -oE '"url":"[^"]*' "$dir/net.json" | cut -d'"' -f4 | grep -vE "$own" | sort -u >"$dir/urls"
}

value() { sed -n "s/^$1 //p" "$dir/out"; }
