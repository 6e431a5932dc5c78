#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# usage: pkg_config.sh COMPILER PREFIX OUTPUT -- builds the consumer with what pkg-config says.
set -eu
here=$(dirname "$0")
PKG_CONFIG_PATH=$2/share/pkgconfig
export PKG_CONFIG_PATH
pkg-config --atleast-version 0.1.0 lowbits
"$1" -std=c++20 $(pkg-config --cflags lowbits) "$here/consumer.cpp" "$here/other.cpp" -o "$3"
"$3"
