//! Numbers as 32 bytes, little-endian: the bounds that are checked before a library is asked.
//!
//! These values are not secret, so nothing here takes constant time.

/// 2^255 − 19, the modulus of both curves.
const P: [u8; 32] = hex(b"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");

/// The order of the group of Ed25519.
const L: [u8; 32] = hex(b"edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");

/// The y coordinates of the eight points of edwards25519 whose order divides eight. Two points
/// share one, but for the first and the third.
const EDWARDS_SMALL_ORDER: [[u8; 32]; 5] = [
    hex(b"0100000000000000000000000000000000000000000000000000000000000000"),
    hex(b"0000000000000000000000000000000000000000000000000000000000000000"),
    hex(b"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    hex(b"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    hex(b"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
];

/// The u coordinates below p of the points of curve25519 and its twist whose order divides eight.
const MONTGOMERY_SMALL_ORDER: [[u8; 32]; 5] = [
    hex(b"0000000000000000000000000000000000000000000000000000000000000000"),
    hex(b"0100000000000000000000000000000000000000000000000000000000000000"),
    hex(b"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    hex(b"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    hex(b"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
];

/// Returns whether the y coordinate of an encoded point is below p. The highest bit is the sign of x.
pub(crate) fn is_edwards_canonical(point: &[u8; 32]) -> bool {
    is_below(&without_sign(point), &P)
}

/// Returns whether an encoded point, found canonical, is of small order, with either sign of x.
pub(crate) fn is_edwards_small_order(point: &[u8; 32]) -> bool {
    EDWARDS_SMALL_ORDER.contains(&without_sign(point))
}

/// Returns whether a scalar is below the order of the group.
pub(crate) fn is_scalar_reduced(scalar: &[u8; 32]) -> bool {
    is_below(scalar, &L)
}

/// Returns whether a u coordinate is below p. Its highest bit, which X25519 ignores, is zero then.
pub(crate) fn is_montgomery_canonical(u: &[u8; 32]) -> bool {
    is_below(u, &P)
}

/// Returns whether a u coordinate, found canonical, is of small order.
pub(crate) fn is_montgomery_small_order(u: &[u8; 32]) -> bool {
    MONTGOMERY_SMALL_ORDER.contains(u)
}

fn is_below(number: &[u8; 32], bound: &[u8; 32]) -> bool {
    number.iter().rev().lt(bound.iter().rev())
}

fn without_sign(point: &[u8; 32]) -> [u8; 32] {
    let mut y = *point;
    y[31] &= 0x7f;
    y
}

const fn hex(digits: &[u8; 64]) -> [u8; 32] {
    let mut bytes = [0; 32];
    let mut index = 0;
    while index < 32 {
        bytes[index] = digit(digits[2 * index]) << 4 | digit(digits[2 * index + 1]);
        index += 1;
    }
    bytes
}

const fn digit(character: u8) -> u8 {
    if character <= b'9' { character - b'0' } else { character - b'a' + 10 }
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::{MontgomeryPoint, Scalar, constants::EIGHT_TORSION};

    use super::*;

    #[test]
    fn the_points_of_small_order_are_those_of_the_curve() {
        for point in EIGHT_TORSION {
            let mut encoded = point.compress().to_bytes();
            assert!(is_edwards_canonical(&encoded) && is_edwards_small_order(&encoded));
            encoded[31] ^= 0x80;
            assert!(is_edwards_small_order(&encoded));
            encoded[0] ^= 2;
            assert!(!is_edwards_small_order(&encoded));
        }
    }

    #[test]
    fn the_u_coordinates_of_small_order_are_those_that_eight_takes_to_zero() {
        let is_small = |u| (MontgomeryPoint(u) * Scalar::from(8_u8)).to_bytes() == [0; 32];
        for u in MONTGOMERY_SMALL_ORDER {
            assert!(is_small(u) && is_montgomery_canonical(&u));
        }
        assert!(!is_small([9; 32]) && !is_montgomery_small_order(&[9; 32]));
    }

    #[test]
    fn a_bound_is_not_below_itself() {
        let minus_one = |number: &[u8; 32]| {
            let mut less = *number;
            less[0] -= 1;
            less
        };
        assert!(!is_montgomery_canonical(&P) && is_montgomery_canonical(&minus_one(&P)));
        assert!(!is_scalar_reduced(&L) && is_scalar_reduced(&minus_one(&L)));
    }
}
