//! WFDB signal formats: how samples lie in a signal file (signal(5) of the WFDB Applications Guide).

/// Storage of the samples of a signal file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// No file: every sample is missing.
    Null,
    /// 8-bit first differences.
    Difference8,
    /// 16-bit two's complement, little-endian.
    Int16,
    /// 24-bit two's complement, little-endian.
    Int24,
    /// 32-bit two's complement, little-endian.
    Int32,
    /// 16-bit two's complement, big-endian.
    BigInt16,
    /// 8-bit offset binary.
    Offset8,
    /// 16-bit offset binary, little-endian.
    Offset16,
    /// Two 12-bit samples in three bytes.
    Packed212,
    /// Three 10-bit samples in four bytes, the third in the high bits of both halves.
    Packed310,
    /// Three 10-bit samples in four bytes, one after the other.
    Packed311,
    /// FLAC, 8 bits.
    Flac8,
    /// FLAC, 16 bits.
    Flac16,
    /// FLAC, 24 bits.
    Flac24,
}

impl Format {
    /// The format with this code in a header.
    pub fn from_code(code: &str) -> Option<Self> {
        Some(match code {
            "0" => Self::Null,
            "8" => Self::Difference8,
            "16" => Self::Int16,
            "24" => Self::Int24,
            "32" => Self::Int32,
            "61" => Self::BigInt16,
            "80" => Self::Offset8,
            "160" => Self::Offset16,
            "212" => Self::Packed212,
            "310" => Self::Packed310,
            "311" => Self::Packed311,
            "508" => Self::Flac8,
            "516" => Self::Flac16,
            "524" => Self::Flac24,
            _ => return None,
        })
    }

    /// Bits of a sample.
    pub const fn bits(self) -> u32 {
        match self {
            Self::Difference8 | Self::Null | Self::Int32 => 32,
            Self::Offset8 | Self::Flac8 => 8,
            Self::Packed310 | Self::Packed311 => 10,
            Self::Packed212 => 12,
            Self::Int16 | Self::BigInt16 | Self::Offset16 | Self::Flac16 => 16,
            Self::Int24 | Self::Flac24 => 24,
        }
    }

    /// The stored number that says "no valid sample": the smallest of the format.
    pub const fn invalid(self) -> Option<i32> {
        match self {
            Self::Difference8 | Self::Null => None,
            _ => Some(-1 << (self.bits() - 1)),
        }
    }

    /// Whether the file is a FLAC stream.
    pub const fn is_flac(self) -> bool {
        matches!(self, Self::Flac8 | Self::Flac16 | Self::Flac24)
    }

    /// Bytes that hold the first `samples` samples of an uncompressed file.
    pub const fn bytes(self, samples: u64) -> u64 {
        match self {
            Self::Difference8 | Self::Offset8 => samples,
            Self::Int16 | Self::BigInt16 | Self::Offset16 => 2 * samples,
            Self::Int24 => 3 * samples,
            Self::Int32 => 4 * samples,
            Self::Packed212 => (3 * samples).div_ceil(2),
            // The second sample of a format 310 group reaches into the fourth byte, of format 311 into the
            // third.
            Self::Packed310 => 4 * (samples / 3) + [0, 2, 4][(samples % 3) as usize],
            Self::Packed311 => 4 * (samples / 3) + [0, 2, 3][(samples % 3) as usize],
            Self::Null | Self::Flac8 | Self::Flac16 | Self::Flac24 => 0,
        }
    }

    /// Appends the first `samples` samples of `bytes` to `out`. Format 8 gives the differences.
    ///
    /// `bytes` must begin at the start of a group and hold [`Self::bytes`]`(samples)` bytes.
    pub(super) fn decode(self, bytes: &[u8], samples: usize, out: &mut Vec<i32>) {
        let start = out.len();
        match self {
            Self::Difference8 => out.extend(bytes.iter().take(samples).map(|&b| i32::from(b.cast_signed()))),
            Self::Offset8 => out.extend(bytes.iter().take(samples).map(|&b| i32::from(b) - 128)),
            Self::Int16 => out.extend(chunks::<2>(bytes, samples).map(|b| i32::from(i16::from_le_bytes(b)))),
            Self::BigInt16 => {
                out.extend(chunks::<2>(bytes, samples).map(|b| i32::from(i16::from_be_bytes(b))));
            }
            Self::Offset16 => {
                out.extend(chunks::<2>(bytes, samples).map(|b| i32::from(u16::from_le_bytes(b)) - 32768));
            }
            // The three bytes go to the top and are shifted down with their sign.
            Self::Int24 => {
                out.extend(
                    chunks::<3>(bytes, samples).map(|[a, b, c]| i32::from_le_bytes([0, a, b, c]) >> 8),
                );
            }
            Self::Int32 => out.extend(chunks::<4>(bytes, samples).map(i32::from_le_bytes)),
            Self::Packed212 => {
                for group in bytes.chunks(3).take(samples.div_ceil(2)) {
                    let [a, b, c] = [0, 1, 2].map(|i| u32::from(group.get(i).copied().unwrap_or(0)));
                    out.extend([signed(a | (b & 0x0f) << 8, 12), signed(c | (b & 0xf0) << 4, 12)]);
                }
            }
            Self::Packed310 => {
                for group in bytes.chunks(4).take(samples.div_ceil(3)) {
                    let [a, b, c, d] = quad(group);
                    let (low, high) = (a | b << 8, c | d << 8);
                    let third = (b >> 3) | (d >> 3) << 5;
                    out.extend([low >> 1 & 0x3ff, high >> 1 & 0x3ff, third].map(|x| signed(x, 10)));
                }
            }
            Self::Packed311 => {
                for group in bytes.chunks(4).take(samples.div_ceil(3)) {
                    let [a, b, c, d] = quad(group);
                    let word = a | b << 8 | c << 16 | d << 24;
                    out.extend([word, word >> 10, word >> 20].map(|x| signed(x & 0x3ff, 10)));
                }
            }
            Self::Null | Self::Flac8 | Self::Flac16 | Self::Flac24 => {}
        }
        out.truncate(start + samples);
    }
}

/// Samples after which a group of any packed format starts on a byte.
pub(super) const GROUP: usize = 6;

fn chunks<const N: usize>(bytes: &[u8], samples: usize) -> impl Iterator<Item = [u8; N]> {
    bytes.as_chunks::<N>().0.iter().copied().take(samples)
}

fn quad(group: &[u8]) -> [u32; 4] {
    [0, 1, 2, 3].map(|i| u32::from(group.get(i).copied().unwrap_or(0)))
}

/// Two's complement of the lowest `bits` bits.
fn signed(x: u32, bits: u32) -> i32 {
    (x << (32 - bits)).cast_signed() >> (32 - bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(format: Format, bytes: &[u8], samples: usize) -> Vec<i32> {
        let mut out = Vec::new();
        format.decode(bytes, samples, &mut out);
        out
    }

    #[test]
    fn samples_come_out_as_the_guide_describes() {
        assert_eq!(decode(Format::Int16, &[0xff, 0x7f, 0x00, 0x80], 2), [32767, -32768]);
        assert_eq!(decode(Format::BigInt16, &[0x7f, 0xff, 0x80, 0x00], 2), [32767, -32768]);
        assert_eq!(decode(Format::Offset8, &[0, 128, 255], 3), [-128, 0, 127]);
        assert_eq!(decode(Format::Offset16, &[0, 0, 0, 128], 2), [-32768, 0]);
        assert_eq!(decode(Format::Int24, &[0xff, 0xff, 0x7f, 0, 0, 0x80], 2), [8388607, -8388608]);
        // 0x800 and -1: low bytes 0x00 and 0xff, high nibbles 8 (first) and f (second).
        assert_eq!(decode(Format::Packed212, &[0x00, 0xf8, 0xff], 2), [-2048, -1]);
        assert_eq!(decode(Format::Packed212, &[0x05, 0x00], 1), [5]);
        // 311: 1, 2, 3 at bits 0, 10 and 20.
        assert_eq!(decode(Format::Packed311, &(1u32 | 2 << 10 | 3 << 20).to_le_bytes(), 3), [1, 2, 3]);
        assert_eq!(decode(Format::Packed310, &[1 << 1, 3 << 3, 2 << 1, 0], 3), [1, 2, 3]);
        assert_eq!(decode(Format::Packed310, &[0, 0x07 | 0xf8, 0, 0xf8], 3), [-128, 0, -1]);
    }

    #[test]
    fn sizes_cover_partial_groups() {
        for (format, sizes) in [
            (Format::Packed212, [0, 2, 3, 5]),
            (Format::Packed310, [0, 2, 4, 4]),
            (Format::Packed311, [0, 2, 3, 4]),
        ] {
            assert_eq!([0, 1, 2, 3].map(|n| format.bytes(n)), sizes, "{format:?}");
        }
        assert_eq!(Format::Packed212.invalid(), Some(-2048));
        assert_eq!(Format::Int32.invalid(), Some(i32::MIN));
        assert_eq!(Format::Difference8.invalid(), None);
    }
}
