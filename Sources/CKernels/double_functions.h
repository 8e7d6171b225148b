// Logarithm, sine, and cosine in double precision, bit for bit as in glibc on a machine with fused
// multiply-add, for any number of lanes at once.
//
// PyTorch calls the C library, so the bytes of its float64 normals depend on glibc (2.28 and later:
// log from ARM's optimized-routines, sine and cosine from IBM's Accurate Mathematical Library). None
// of them is correctly rounded: errors reach 0.52 to 0.55 units in the last place. Operations are
// fused exactly where gcc 12 fuses them in Debian's glibc 2.36, as read from the binary. Both sides
// of every branch are computed and one is selected, so that the compiler can process eight at a time.
#pragma once
#include "clones.h"
#include "double_tables.h"
#include "floats.h"

INLINE double with_sign(double size, uint64_t sign) {
  return double_number((double_pattern(size) & ~(1ull << 63)) | (sign & 1ull << 63));
}

// Natural logarithm of a number in [1 - 1/16, 1], where using the table would cause cancellation.
INLINE double logarithm_near_one(double x) {
  double r = x - 1;
  double r2 = r * r;
  double r3 = r * r2;
  double first = fused_double(0x1.999999995dd0cp-3, r2, fused_double(-0x1.ffffffffffdcbp-3, r, 0x1.5555555555577p-2));
  double second = fused_double(-0x1.fffffa4423d65p-4, r2, fused_double(0x1.24924a344de30p-3, r, -0x1.55555556745a7p-3));
  double third = fused_double(0x1.78182f7afd085p-4, r2, fused_double(-0x1.999eb43b068ffp-4, r, 0x1.c7184282ad6cap-4));
  double sum = fused_double(-0x1.5521375d145cdp-4, r3, third);
  sum = fused_double(sum, r3, second);
  sum = fused_double(sum, r3, first);
  // The leading half of r, whose square is exact.
  double lead = fused_double(-r, 0x1p27, fused_double(r, 0x1p27, r));
  double square = lead * lead;
  double high = fused_double(square, -0.5, r);
  double rest = fused_double(square, -0.5, r - high);
  rest = fused_double(-0.5 * (r - lead), r + lead, rest);
  return high + fused_double(sum, r3, rest);
}

// Natural logarithm of a normal number in (0, 1].
INLINE double double_logarithm(double x) {
  uint64_t bits = double_pattern(x);
  uint64_t above = bits - 0x3fe6000000000000;
  const double *entry = logarithms[above >> 45 & 127];
  double exponent = (double)(int32_t)((int64_t)above >> 52);
  double mantissa = double_number(bits - (above & 0xfffull << 52));
  double r = fused_double(mantissa, entry[0], -1);
  double whole = fused_double(0x1.62e42fefa3800p-1, exponent, entry[1]);
  double high = whole + r;
  double low = fused_double(0x1.ef35793c76730p-45, exponent, whole - high + r);
  double r2 = r * r;
  low = fused_double(-0x1.0000000000001p-1, r2, low);
  double sum = fused_double(-0x1.fffffffeb4590p-3, r, 0x1.555555551305bp-2);
  sum = fused_double(fused_double(-0x1.55575e506c89fp-3, r, 0x1.999b324f10111p-3), r2, sum);
  double value = fused_double(r * r2, sum, low) + high;
  double near = logarithm_near_one(x);
  return x >= 0.9375 ? near : value;
}

// Sine and cosine of the angle `high` + `low` between -0.86 and 0.86: glibc's do_sin, do_cos, and
// TAYLOR_SIN (s_sin.c). With a = k/128 from the table, whose entries have two parts each, and a small
// rest x, sin(a + x) is sn + s cs - c sn and cos(a + x) is cs - s sn - c cs, where s is sin x and c is
// 1 - cos x, both by their series.
INLINE void reduced_sine_cosine(double high, double low, double *sine, double *cosine) {
  uint64_t sign = double_pattern(high);
  double size = with_sign(high, 0);
  double towards = high < 0 ? -low : low;
  // The nearest k/128: k is in the lowest bits of the sum.
  double shifted = size + 0x1.8p45;
  const double *entry = sines[double_pattern(shifted) & 127];
  double sn = entry[0], sn_rest = entry[1], cs = entry[2], cs_rest = entry[3];
  double rest = size - (shifted - 0x1.8p45);

  double x = rest + towards;
  double x2 = x * x;
  double s = fused_double(x * x2, fused_double(x2, 0x1.11110e829872fp-7, -0x1.5555555555515p-3), x);
  double c = fused_double(fused_double(x2, 0x1.6c16bedd9e239p-10, -0x1.5555555555535p-5), x2, 0.5) * x2;
  double part = fused_double(-s, sn_rest, cs_rest);
  part = fused_double(-c, cs, part);
  *cosine = cs + fused_double(-s, sn, part);

  x2 = rest * rest;
  s = fused_double(rest * x2, fused_double(x2, 0x1.11110e829872fp-7, -0x1.5555555555515p-3), towards) + rest;
  c = fused_double(fused_double(x2, 0x1.6c16bedd9e239p-10, -0x1.5555555555535p-5), x2, 0.5) * x2;
  c = fused_double(towards, rest, c);
  part = fused_double(s, cs_rest, sn_rest);
  part = fused_double(-c, sn, part);
  double large = with_sign(sn + fused_double(s, cs, part), sign);

  // Below 0.126 the sine is its own series, without the table.
  x2 = high * high;
  double sum = fused_double(-0x1.addffc2fcdf59p-26, x2, 0x1.71de27b9a7ed9p-19);
  sum = fused_double(sum, x2, -0x1.a01a019db08b8p-13);
  sum = fused_double(sum, x2, 0x1.1111111110ecep-7);
  sum = fused_double(sum, x2, -0x1.5555555555555p-3);
  sum = fused_double(sum, high, -(low * 0.5));
  double small = high + fused_double(sum, x2, low);
  *sine = size < 0.126 ? small : large;
}

// Sine and cosine of an angle in [0, 2π].
INLINE void double_sine_cosine(double angle, double *sine, double *cosine) {
  // From 0.86 to 2.43 the angle's distance to π/2 has 106 bits.
  double distance = 0x1.921fb54442d18p+0 - angle;
  double middle = distance + 0x1.1a62633145c07p-54;
  double middle_rest = distance - middle + 0x1.1a62633145c07p-54;
  // Beyond, quarters of the circle are taken off in four parts.
  double shifted = fused_double(angle, 0x1.45f306dc9c883p-1, 0x1.8p52);
  uint64_t quarters = double_pattern(shifted);
  double count = shifted - 0x1.8p52;
  double y = fused_double(-count, 0x1.921fb58p+0, angle);
  y = fused_double(-count, -0x1.dde973cp-27, y);
  double y2 = fused_double(-count, -0x1.cb3b398p-55, y);
  double far_rest = fused_double(-count, -0x1.cb3b398p-55, y - y2);
  double far = fused_double(-count, -0x1.d747f23e32ed7p-83, y2);
  far_rest = fused_double(-count, -0x1.d747f23e32ed7p-83, y2 - far) + far_rest;

  int is_near = angle < 0.85546875;
  int is_middle = angle < double_number(0x400368fd00000000);
  double high = is_near ? angle : is_middle ? middle : far;
  double low = is_near ? 0 : is_middle ? middle_rest : far_rest;
  double s, c;
  reduced_sine_cosine(high, low, &s, &c);
  // Odd quarters exchange sine and cosine; the sine is negative in quarters 2 and 3, the cosine in 1
  // and 2. The distance to π/2 exchanges them without a sign.
  uint64_t turns = is_near ? 0 : is_middle ? 1 : quarters;
  double first = turns & 1 ? c : s;
  double second = turns & 1 ? s : c;
  uint64_t negative = is_middle ? 0 : turns;
  uint64_t negative_cosine = is_middle ? 0 : turns + 1;
  *sine = double_number(double_pattern(first) ^ (negative & 2) << 62);
  *cosine = double_number(double_pattern(second) ^ (negative_cosine & 2) << 62);
}
