"""Goldens of the forward process and of reading a prediction: values, and the gradients of every
input that has one, the coefficients a (signal) and s (noise) among them."""
from recorder import Draw, Golden

B, K = 6, 5


def rows(name, *others):
    """The coefficients are those of no schedule: a² + s² is not 1, and both are above 0."""
    draw = Draw(name)
    tensors = {other: draw.normal(B, K) for other in others}
    tensors["signal"] = draw.uniform(B, K, low=0.2, high=1.0)
    tensors["noise"] = draw.uniform(B, K, low=0.3, high=1.5)
    return tensors


def noised(t):
    return t["m"] + t["signal"] * (t["y0"] - t["m"]) + t["noise"] * t["eps"]


def target_v(t):
    return t["signal"] * t["eps"] - t["noise"] * (t["y0"] - t["m"])


def z0_of(prediction, t):
    a, s, z, x = t["signal"], t["noise"], t["y_t"] - t["m"], t["output"]
    if prediction == "epsilon":
        return (z - s * x) / a
    return x - t["m"] if prediction == "y0" else (a * z - s * x) / (a ** 2 + s ** 2)


def epsilon_of(prediction, t):
    """ε̂ is what is left of z once ẑ0 is known; for v it is the other row of the rotation."""
    a, s, z, x = t["signal"], t["noise"], t["y_t"] - t["m"], t["output"]
    if prediction == "v":
        return (s * z + a * x) / (a ** 2 + s ** 2)
    return (z - a * z0_of(prediction, t)) / s


def build(path):
    golden = Golden(path)
    label = ["@y0", "@m", "@eps", "@signal", "@noise"]
    for op, args, function in (("noised", label, noised), ("target", ["v", *label], target_v)):
        golden.op(f"diffusion {op}", op, rows(op, "y0", "m", "eps"), args, function, fixed=["eps"])
    for reading, function in {"z0": z0_of, "epsilon": epsilon_of}.items():
        for prediction in ("epsilon", "y0", "v"):
            if reading == prediction:
                continue  # the output itself
            name = f"read {reading} of {prediction}"
            unused = ["signal", "noise", "y_t"] if (reading, prediction) == ("z0", "y0") else []
            golden.op(name, "read", rows(name, "output", "y_t", "m"),
                      [reading, prediction, "@y_t", "@m", "@output", "@signal", "@noise"],
                      lambda t, f=function, p=prediction: f(p, t), fixed=unused)
    return golden.write()
