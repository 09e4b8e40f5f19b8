//! Pictures that are copies of each other, or nearly so: the same picture saved twice, at another quality or
//! size, would be on two sides of a split.
//!
//! Candidates agree in a hash of 64 bits that says from left to right whether a picture becomes brighter
//! (dHash; Krawetz 2013, <http://www.hackerfactor.com/blog/?/archives/529-Kind-of-Like-That.html>) in all but
//! a few bits. Their pixels decide: the squared difference has to be less than a hundredth of their
//! variances, that is, their correlation has to be 0.99 at least.

use rayon::prelude::*;

use super::fit::means;

/// Bits of a hash in which copies may differ; with four bands, one band of copies is equal.
const BITS: u32 = 3;
/// Share of the summed variances that the squared difference of copies may have.
const DIFFERENCE: f64 = 0.01;
/// Pictures of one band that each picture is compared with, in the order of their hashes.
const COMPARED: usize = 64;

/// Copies among pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Copies {
    /// For each picture, the first of those that it is a copy of, or itself.
    pub(super) first: Vec<usize>,
    /// Pictures equal to an earlier one in every number.
    pub(super) exact: usize,
    /// Other pictures that nearly are an earlier one.
    pub(super) near: usize,
}

/// Finds the copies among pictures of one size, which lie one behind the other.
pub(super) fn copies(pixels: &[u8], size: [usize; 3]) -> Copies {
    let d: usize = size.iter().product();
    let pictures: Vec<&[u8]> = pixels.chunks_exact(d.max(1)).collect();
    let hashes: Vec<u64> = pictures.par_iter().map(|picture| hash(picture, size)).collect();
    let pairs: Vec<(usize, usize)> =
        (0..4).into_par_iter().flat_map_iter(|band| alike(&hashes, band, &pictures)).collect();
    let mut first: Vec<usize> = (0..pictures.len()).collect();
    for (one, other) in pairs {
        let (one, other) = (root(&mut first, one), root(&mut first, other));
        first[one.max(other)] = one.min(other);
    }
    let first: Vec<usize> = (0..pictures.len()).map(|i| root(&mut first, i)).collect();
    let copies = || first.iter().enumerate().filter(|(i, of)| i != *of);
    let exact = copies().filter(|(i, of)| pictures[*i] == pictures[**of]).count();
    let near = copies().count() - exact;
    Copies { first, exact, near }
}

fn root(first: &mut [usize], mut i: usize) -> usize {
    while first[i] != i {
        first[i] = first[first[i]];
        i = first[i];
    }
    i
}

/// Whether each of eight cells of eight rows is darker than the next.
fn hash(picture: &[u8], size: [usize; 3]) -> u64 {
    let channels = size[2];
    let means = means(picture, size, 8, 9);
    let grey: Vec<f64> = means.chunks_exact(channels).map(|pixel| pixel.iter().sum()).collect();
    let cells = grey.chunks_exact(9).flat_map(|row| row.windows(2));
    cells.fold(0, |bits, pair| bits << 1 | u64::from(pair[0] < pair[1]))
}

/// Pairs of copies among the pictures whose hashes have one band of sixteen bits in common.
fn alike(hashes: &[u64], band: u32, pictures: &[&[u8]]) -> Vec<(usize, usize)> {
    let of_band = |i: usize| hashes[i] >> (16 * band) & 0xffff;
    let mut order: Vec<usize> = (0..hashes.len()).collect();
    order.sort_unstable_by_key(|&i| (of_band(i), hashes[i], i));
    let pairs = order.par_iter().enumerate().flat_map_iter(|(at, &one)| {
        let others =
            order[at + 1..].iter().copied().take(COMPARED).take_while(move |&i| of_band(i) == of_band(one));
        let near = others.filter(move |&i| (hashes[i] ^ hashes[one]).count_ones() <= BITS);
        near.filter(move |&i| are_copies(pictures[one], pictures[i])).map(move |other| (one, other))
    });
    pairs.collect()
}

fn are_copies(a: &[u8], b: &[u8]) -> bool {
    let moments = |x: &[u8]| {
        let n = x.len() as f64;
        let mean = x.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
        x.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>()
    };
    let difference: u64 = a.iter().zip(b).map(|(x, y)| u64::from(x.abs_diff(*y)).pow(2)).sum();
    difference == 0 || difference as f64 <= DIFFERENCE * (moments(a) + moments(b))
}
