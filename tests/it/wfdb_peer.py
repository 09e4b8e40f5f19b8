"""Writes WFDB records in every format, with PyPI `wfdb` where it can write the format and by hand where it can only
read it, and prints what `wfdb` reads back: one JSON line per record.

usage: wfdb_peer.py write FOLDER | read RECORD...
"""

import json
import os
import sys

import numpy as np
import wfdb

FORMATS = {
    "8": 12, "16": 2**15, "24": 2**23, "32": 2**31, "61": 2**15, "80": 2**7, "160": 2**15,
    "212": 2**11, "310": 2**9, "311": 2**9, "508": 2**7, "516": 2**15, "524": 2**23,
}


def signals(half, n, rng):
    """Two channels over the whole range of the format, with codes of invalid samples and both ends."""
    low = -half + 1
    wave = 0.4 * half * np.sin(np.arange(n)[:, None] / [7.0, 11.0])
    d = np.clip(np.rint(wave + 0.1 * half * rng.standard_normal((n, 2))), low, half - 1).astype("int64")
    d[1] = [low, half - 1]
    d[2] = [half - 1, low]
    return d


def packed(fmt, d):
    """Bytes of the formats `wfdb` reads but does not write."""
    x = d.reshape(-1)
    if fmt == "8":
        return np.diff(d, axis=0, prepend=d[:1]).astype("<i1").tobytes()
    if fmt == "61":
        return x.astype(">i2").tobytes()
    if fmt == "160":
        return (x + 32768).astype("<u2").tobytes()
    x = np.append(x, np.zeros(-len(x) % 3, dtype=x.dtype)).reshape(-1, 3) & 0x3FF
    if fmt == "310":
        low, high = x[:, 0] << 1 | (x[:, 2] & 31) << 11, x[:, 1] << 1 | (x[:, 2] >> 5) << 11
        return np.stack([low, high], axis=1).astype("<u2").tobytes()
    return (x[:, 0] | x[:, 1] << 10 | x[:, 2] << 20).astype("<u4").tobytes()


def write_by_hand(name, fmt, d, folder):
    with open(os.path.join(folder, name + ".dat"), "wb") as f:
        f.write(packed(fmt, d))
    with open(os.path.join(folder, name + ".hea"), "w") as f:
        f.write(f"{name} 2 125 {len(d)}\n")
        for i, (gain, label) in enumerate([("86/mV", "II"), ("12.84(-16)/mmHg", "ABP left")]):
            f.write(f"{name}.dat {fmt} {gain} 12 0 {d[0, i]} {np.sum(d[:, i]) % 65536} 0 {label}\n")


def write(folder):
    rng = np.random.default_rng(7)
    for fmt, half in FORMATS.items():
        for n in (997, 998, 999):
            d = signals(half, n, rng)
            if fmt != "8":
                d[5, 0] = -half
                d[-1, 1] = -half
            if fmt in ("8", "61", "160", "310", "311"):
                write_by_hand(f"f{fmt}_{n}", fmt, d, folder)
                continue
            wfdb.wrsamp(
                f"f{fmt}_{n}", fs=125, units=["mV", "mmHg"], sig_name=["II", "ABP left"], d_signal=d,
                fmt=[fmt, fmt], adc_gain=[86.0, 12.84], baseline=[0, -16], write_dir=folder,
            )
    # Signals of two files, unequal samples per frame.
    e = [rng.integers(-2000, 2000, 4 * 500), rng.integers(-2000, 2000, 500), rng.integers(-2000, 2000, 2 * 500)]
    record = wfdb.Record(
        record_name="frames", n_sig=3, fs=125, sig_len=500, file_name=["frames_a.dat", "frames_a.dat", "frames_b.dat"],
        fmt=["212", "212", "16"], samps_per_frame=[4, 1, 2], adc_gain=[100.0] * 3, baseline=[0] * 3, units=["mV"] * 3,
        adc_res=[12, 12, 16], adc_zero=[0] * 3, block_size=[0] * 3, sig_name=["A", "B", "C"], e_d_signal=e,
        init_value=[int(x[0]) for x in e], checksum=[int(np.sum(x) % 65536) for x in e],
    )
    record.wrsamp(expanded=True, write_dir=folder)
    return sorted(os.path.join(folder, f[:-4]) for f in os.listdir(folder) if f.endswith(".hea"))


def read(path):
    header = wfdb.rdheader(path)
    if isinstance(header, wfdb.MultiRecord):
        record = wfdb.rdrecord(path)
        channels = [[None if np.isnan(x) else float(x) for x in record.p_signal[:, i]] for i in range(record.n_sig)]
    else:
        record = wfdb.rdrecord(path, smooth_frames=False)
        channels = [[None if np.isnan(x) else float(x) for x in e] for e in record.e_p_signal]
    return {"record": path, "names": record.sig_name, "units": record.units, "fs": record.fs, "physical": channels}


if __name__ == "__main__":
    records = write(sys.argv[2]) if sys.argv[1] == "write" else sys.argv[2:]
    for path in records:
        print(json.dumps(read(path)))
