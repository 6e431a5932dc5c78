// no licence; bad: licence
#pragma once

// This file is longer than the limit the test sets.
namespace lowbits::inline LOWBITS_ABI {
using t1 = int;
using t2 = int;
using t3 = int;
using t4 = int;
using t5 = int;
using t6 = int;
using t7 = int;
using t8 = int;
using t9 = int;
using t10 = int;
using t11 = int;
using t12 = int;
using t13 = int;
using t14 = int;
using t15 = int;
using t16 = int;
using t17 = int;
}
// The end, bad: length
