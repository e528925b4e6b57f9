# Sourced by the test scripts that compare whole studies:
#   query DATABASE SQL   the rows, as CSV without a header
#   numbers DATABASE [ATTEMPT]   a digest of all numbers that its runs stored, to the last bit: curves, confusions,
#                        predictions; ATTEMPT: of the runs with this number alone
#   once DATABASE        "runs,distinct runs,finished runs"
query() { "$aniso" sql "$2" --db "$1" --format csv | tail -n +2; }

numbers() {
    {
        of=${2:+"WHERE r.attempt = $2"}
        query "$1" "SELECT r.label, r.seed, m.name, v.part, v.step, v.kind, printf('%.17g', v.value)
            FROM metric_value v JOIN metric m USING (metric_id) JOIN run r USING (run_id) $of ORDER BY 1, 2, 3, 4, 5"
        query "$1" "SELECT r.label, r.seed, e.sampler, e.part, e.weights, c.true_idx, c.pred_idx, c.n
            FROM confusion c JOIN evaluation e USING (eval_id) JOIN run r USING (run_id) $of ORDER BY 1, 2, 3, 4, 5, 6, 7"
        query "$1" "SELECT r.label, r.seed, e.sampler, e.part, p.sample_idx, p.true_idx, p.pred_idx,
            printf('%.17g', p.conf), hex(p.probs) FROM prediction p JOIN evaluation e USING (eval_id)
            JOIN run r USING (run_id) $of ORDER BY 1, 2, 3, 4, 5"
    } >"$dir/numbers"
    [ "$(wc -l <"$dir/numbers")" -gt 100 ] && sha256sum <"$dir/numbers"
}

once() { query "$1" "SELECT count(*), count(DISTINCT label || ' ' || seed), sum(status = 'finished') FROM run"; }
