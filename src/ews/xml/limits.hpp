// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// What a peer's XML may cost us. Every limit is checked on the octets, before anything is allocated for them.
#include <cstdint>

namespace syncline::ews::xml {

struct Limits {
  std::uint64_t octets = std::uint64_t{512} << 20;  ///< of the whole input, as received
  std::uint32_t depth = 128;                        ///< open elements at a time (invariant 25)
  std::uint64_t elements = 4'000'000;               ///< in one document
  std::uint32_t attributes = 256;                   ///< on one element, namespace declarations included
  std::uint32_t tag_octets = 256 * 1024;            ///< one tag with all its attributes
};

}  // namespace syncline::ews::xml
