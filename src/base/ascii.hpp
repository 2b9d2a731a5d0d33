// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Most texts are ASCII for the most part: what is, is looked at eight octets at a time.
#include <cstddef>
#include <string_view>

namespace syncline::text {

/// How many octets from the beginning on are below 0x80.
std::size_t ascii_prefix(std::string_view octets) noexcept;

}  // namespace syncline::text
