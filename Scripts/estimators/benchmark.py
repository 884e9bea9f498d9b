#!/usr/bin/env python3
"""How near the public estimators of dimension, and nacre's, come on skdim's benchmark of 24 manifolds.

    benchmark.py points OUTDIR      write the point sets: 24 manifolds, 2,500 points, seeds 0, 1, 2
    benchmark.py public OUTDIR      run the public estimators on them, into OUTDIR/public.jsonl (resumes)
    benchmark.py table OUTDIR       write Scripts/estimators/public.csv from OUTDIR/public.jsonl
    benchmark.py score [NACRE.csv] [--by-set]   print errors, ranks and interval scores

The environment is that of requirements.txt (`score` needs numpy alone). Set OMP_NUM_THREADS=1 for comparable times.

`points` writes NAME-SEED.npy (float32 [2500, D]) and manifest.json: [{name, seed, d, file}].

`public` measures CPU seconds, and gives each run LIMIT of them; an estimator that needs more is stopped, its line says
so, and it is not tried on later sets. Estimators and options:

  lpca_RULE               skdim lPCA on all points; RULE: FO, Fan, maxgap, ratio (keeps 5 % of the variance, as the
                          package does by default), ratio_95 (95 %), participation_ratio, Kaiser, broken_stick
  lpca_RULE_local_mean, _local_median   the same on each point's 100 neighbours. The patches' spectra are computed once
                          (sklearn's PCA, as in skdim) and given to each rule; the seconds count them for each rule
  mle, twonn, corrint, mom, tle, mada, knn, fishers, danco   skdim, defaults; tle, mom and mada: mean over points
  mind_ml                 skdim's default, which answers 10 at most; mind_ml_ambient: D = number of coordinates
  ess                     skdim fit_once on all points (5,000 pairs drawn with seed 0)
  ess_local               skdim's ESS().fit: mean over points, 100 neighbours each. Its pair sums are vectorised here
                          (golden.AllPairsESS: same sums, same inversion), as the package's own loop needs about two
                          minutes a set
  dada_twonn, dada_twonn_ml   DADApy compute_id_2NN, mu_fraction 0.9
  dada_gride_N1           DADApy return_id_scaling_gride(range_max=128), n1 = 1..64; lower, upper: 90 % by its error
  debiased_pr             dimensionality participation_ratio, 'row', on all points
  debiased_pr_both        the same package's default

When reading the table: danco looks no further than D coordinates and answers exactly D on six sets whose d is D or
D - 1 (M1, M9, M10a to d), which flatters it there; GRIDE with n1 = 1 and TwoNN's maximum likelihood are nearly one
estimator; the eigenvalue counts on all points are bounded by D too.

`score` takes NACRE.csv with the columns name, seed, estimator, value, lower, upper (the last two may be empty).
"""

import argparse
import csv
import json
import os
import signal
import time
import warnings
from pathlib import Path

import numpy as np

SEEDS, COUNT, PATCH = (0, 1, 2), 2500, 100
LIMIT = 120  # CPU seconds for one estimator on one set
PUBLIC = Path(__file__).with_name("public.csv")
COLUMNS = ("name", "seed", "d", "estimator", "value", "lower", "upper", "seconds", "note")


# Point sets


def points(folder):
    import skdim

    folder.mkdir(parents=True, exist_ok=True)
    manifest = []
    for seed in SEEDS:
        manifolds = skdim.datasets.BenchmarkManifolds(random_state=seed)
        for name, data in manifolds.generate(n=COUNT).items():
            file = f"{name}-{seed}.npy"
            np.save(folder / file, np.ascontiguousarray(data, dtype=np.float32))
            manifest.append({"name": name, "seed": seed, "d": manifolds._dict_truth[name][0], "file": file})
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    print(f"{len(manifest)} sets of {COUNT} points in {folder}")


# Public estimators


def estimators():
    """Name of a run -> function from float64 [N, D] to {estimator: value or (value, lower, upper)}."""
    import dadapy
    import skdim
    from dimensionality import participation_ratio
    from golden import RULES, AllPairsESS
    from sklearn.decomposition import PCA
    from sklearn.neighbors import NearestNeighbors

    def fit(estimator):
        return lambda X: float(estimator.fit(X).dimension_)

    def local_lpca(X):
        indices = NearestNeighbors(n_neighbors=PATCH).fit(X).kneighbors(return_distance=False)
        start = time.process_time()
        spectra = [PCA().fit(X[row]).explained_variance_ for row in indices]
        shared = time.process_time() - start
        values = {}
        for rule, options in RULES.items():
            start = time.process_time()
            estimator = skdim.id.lPCA(**options, fit_explained_variance=True)
            each = np.array([estimator.fit(spectrum).dimension_ for spectrum in spectra], dtype=float)
            seconds = shared + time.process_time() - start
            values[f"lpca_{rule}_local_mean"] = {"value": each.mean(), "seconds": seconds}
            values[f"lpca_{rule}_local_median"] = {"value": np.median(each), "seconds": seconds}
        return values

    def gride(X):
        values, errors, ranks = dadapy.Data(X.copy(), verbose=False, n_jobs=1).return_id_scaling_gride(
            range_max=128, return_ranks=True)
        return {f"dada_gride_{rank // 2}": {"value": d, "lower": d - 1.6449 * e, "upper": d + 1.6449 * e}
                for d, e, rank in zip(values, errors, ranks)}

    def ess_local(X):
        indices = NearestNeighbors(n_neighbors=PATCH).fit(X).kneighbors(return_distance=False)
        estimator = AllPairsESS()
        return np.mean([estimator.fit_once(X[row]).dimension_ for row in indices])

    def twonn(algorithm):
        return lambda X: dadapy.Data(X.copy(), verbose=False, n_jobs=1).compute_id_2NN(algorithm=algorithm)[0]

    runs = {f"lpca_{rule}": fit(skdim.id.lPCA(**options)) for rule, options in RULES.items()}
    runs |= {
        "lpca_local": local_lpca,
        "mle": fit(skdim.id.MLE()),
        "twonn": fit(skdim.id.TwoNN()),
        "corrint": fit(skdim.id.CorrInt()),
        "mom": fit(skdim.id.MOM()),
        "mind_ml": fit(skdim.id.MiND_ML()),
        "mind_ml_ambient": lambda X: fit(skdim.id.MiND_ML(D=X.shape[1]))(X),
        "mada": fit(skdim.id.MADA()),
        "fishers": fit(skdim.id.FisherS()),
        "knn": fit(skdim.id.KNN(random_state=0)),
        "ess": lambda X: float(skdim.id.ESS(random_state=0).fit_once(X).dimension_),
        "dada_twonn": twonn("base"),
        "dada_twonn_ml": twonn("ml"),
        "dada_gride": gride,
        "debiased_pr": lambda X: participation_ratio(X, return_all=True)["row"],
        "debiased_pr_both": participation_ratio,
        "ess_local": ess_local,
        "tle": fit(skdim.id.TLE()),
        "danco": fit(skdim.id.DANCo(random_state=0)),
    }
    return runs


class OutOfTime(Exception):
    pass


def measured(function, X):
    """Rows [{estimator?, value, lower, upper, seconds, note}] of one run, stopped after LIMIT CPU seconds."""
    def stop(*_):
        raise OutOfTime

    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, LIMIT)
    start = time.process_time()
    try:
        result = function(X)
        note = ""
    except OutOfTime:
        result, note = None, f"excluded: more than {LIMIT} s"
    except Exception as error:  # an estimator that cannot take a set has said so, and the others go on
        result, note = None, f"failed: {type(error).__name__}: {error}"[:120].replace("\n", " ")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    seconds = time.process_time() - start
    named = result if isinstance(result, dict) else {None: {"value": result}}
    return [{"estimator": name, "seconds": seconds, "note": note} | row for name, row in named.items()]


def public(folder, only):
    warnings.simplefilter("ignore")
    results = folder / "public.jsonl"
    rows = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
    done = {(row["name"], row["seed"], row["run"]) for row in rows}
    excluded = {row["run"] for row in rows if row["note"].startswith("excluded")}
    manifest = json.loads((folder / "manifest.json").read_text())
    runs = {name: run for name, run in estimators().items() if not only or name in only}
    with results.open("a") as out:
        for name, function in runs.items():
            for entry in manifest:
                if (entry["name"], entry["seed"], name) in done or name in excluded:
                    continue
                X = np.load(folder / entry["file"]).astype(np.float64)
                for row in measured(function, X):
                    number = lambda key: float(row[key]) if row.get(key) is not None else None
                    line = {key: entry[key] for key in ("name", "seed", "d")} | {
                        "run": name, "estimator": row["estimator"] or name, "value": number("value"),
                        "lower": number("lower"), "upper": number("upper"),
                        "seconds": round(row["seconds"], 3), "note": row["note"]}
                    out.write(json.dumps(line) + "\n")
                    if line["note"].startswith("excluded"):
                        excluded.add(name)
                out.flush()
                os.fsync(out.fileno())
            print(f"{name}: {'excluded' if name in excluded else 'done'}", flush=True)


def table(folder):
    rows = [json.loads(line) for line in (folder / "public.jsonl").read_text().splitlines()]
    short = lambda value: "" if value is None else f"{value:.7g}" if isinstance(value, float) else value
    rows.sort(key=lambda row: row["estimator"])
    with PUBLIC.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow([short(row[key]) for key in COLUMNS])
    print(f"{PUBLIC}: {len(rows)} rows, {PUBLIC.stat().st_size} bytes")


# Scores


def interval_score(lower, upper, truth, level=0.9):
    """Gneiting & Raftery 2007, equation 43: width plus 2/alpha times what the truth lies outside by; less is better."""
    alpha = 1 - level
    return (upper - lower) + 2 / alpha * (max(lower - truth, 0) + max(truth - upper, 0))


def read(path):
    def number(text):
        return float(text) if text not in ("", None) else None

    with open(path, newline="") as file:
        return [row | {key: number(row.get(key)) for key in ("d", "value", "lower", "upper", "seconds")}
                | {"seed": int(row["seed"])} for row in csv.DictReader(file)]


def scores(rows):
    """{estimator: summary}. An answer that is no finite number is an error of 100 %; an excluded run does not count."""
    by_set = {}
    for row in rows:
        if not (row.get("note") or "").startswith("excluded"):
            by_set.setdefault((row["name"], row["seed"]), []).append(row)
    everyone = {}
    for entries in by_set.values():
        for row in entries:
            finite = row["value"] is not None and np.isfinite(row["value"])
            row["error"] = abs(row["value"] - row["d"]) / row["d"] if finite else 1.0
            row["failed"] = not finite
        ordered = np.array([row["error"] for row in entries])
        for row in entries:  # mid-ranks, so that ties share
            row["rank"] = 1 + np.sum(ordered < row["error"]) + (np.sum(ordered == row["error"]) - 1) / 2
            everyone.setdefault(row["estimator"], []).append(row)
    summary = {}
    for name, entries in everyone.items():
        errors = np.array([row["error"] for row in entries])
        seconds = [row["seconds"] for row in entries if row.get("seconds") is not None]
        banded = [row for row in entries if row["lower"] is not None and row["upper"] is not None]
        entry = {
            "sets": len(entries), "failed": sum(row["failed"] for row in entries), "mape": errors.mean(),
            "median": np.median(errors), "worst": errors.max(), "rank": np.mean([row["rank"] for row in entries]),
            "seconds": np.median(seconds) if seconds else None, "intervals": len(banded),
        }
        if banded:
            # A lower end at or below 0 has no logarithm: 0.01 stands for it, which costs its width.
            log = lambda value: np.log(max(value, 0.01))
            entry["coverage"] = np.mean([row["lower"] <= row["d"] <= row["upper"] for row in banded])
            entry["score"] = np.mean([interval_score(row["lower"], row["upper"], row["d"]) for row in banded])
            entry["log_score"] = np.mean([interval_score(log(row["lower"]), log(row["upper"]), log(row["d"]))
                                          for row in banded])
        summary[name] = entry
    return dict(sorted(summary.items(), key=lambda item: (item[1]["mape"], item[0])))


def score(path, by_set):
    rows = read(PUBLIC)
    truth = {(row["name"], row["seed"]): row["d"] for row in rows}
    own = []
    for row in read(path) if path else []:
        if (row["name"], row["seed"]) not in truth:
            raise SystemExit(f"{path}: {row['name']} with seed {row['seed']} is no set of the benchmark; "
                             f"run `benchmark.py points` and measure the sets of its manifest.json")
        own.append(row | {"estimator": f"nacre {row['estimator']}", "d": truth[row["name"], row["seed"]]})
    summary = scores(rows + own)
    cell = lambda value, form, width: f"{'' if value is None else format(value, form):>{width}}"
    percent = lambda value: None if value is None else 100 * value
    print(f"place  {'estimator':38}    MAPE %  median %   worst %  mean rank  sets  failed  "
          "seconds  cover %   score d  score ln d")
    for place, (name, entry) in enumerate(summary.items(), 1):
        cells = [f"{place:5}  {name:38}", cell(percent(entry["mape"]), ".1f", 9),
                 cell(percent(entry["median"]), ".1f", 9), cell(percent(entry["worst"]), ".1f", 9),
                 cell(entry["rank"], ".1f", 10), cell(entry["sets"], "", 5),
                 cell(entry["failed"], "", 7), cell(entry["seconds"], ".2f", 8),
                 cell(percent(entry.get("coverage")), ".0f", 8), cell(entry.get("score"), ".2f", 9),
                 cell(entry.get("log_score"), ".3f", 11)]
        print(" ".join(cells).rstrip())
    if by_set:
        print("\nMean over seeds of each estimator's value, by set")
        names = list(summary)[:6] + [name for name in list(summary)[6:] if name.startswith("nacre ")]
        print(f"{'set':20} {'d':>3} " + " ".join(f"{name:>18}" for name in names))
        for manifold, d in dict.fromkeys((row["name"], row["d"]) for row in rows):
            values = [[row["value"] for row in rows + own if row["name"] == manifold and row["estimator"] == name
                       and row["value"] is not None] for name in names]
            print(f"{manifold:20} {d:3.0f} " + " ".join(
                f"{format(np.mean(v), '.2f') if v else '-':>{max(18, len(name))}}" for v, name in zip(values, names)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for command in ("points", "public", "table"):
        sub = commands.add_parser(command)
        sub.add_argument("folder", type=Path)
        if command == "public":
            sub.add_argument("--only", nargs="*", help="names of runs")
    sub = commands.add_parser("score")
    sub.add_argument("nacre", nargs="?", type=Path)
    sub.add_argument("--by-set", action="store_true")
    arguments = parser.parse_args()
    if arguments.command == "score":
        score(arguments.nacre, arguments.by_set)
    elif arguments.command == "public":
        public(arguments.folder, arguments.only)
    else:
        {"points": points, "table": table}[arguments.command](arguments.folder)


if __name__ == "__main__":
    main()
