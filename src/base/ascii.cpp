// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/ascii.hpp"

#include <cstdint>
#include <cstring>

namespace syncline::text {

std::size_t ascii_prefix(std::string_view octets) noexcept {
  constexpr std::uint64_t high_bits = 0x8080808080808080;
  std::size_t ascii = 0;
  for (std::uint64_t eight = 0; ascii + sizeof eight <= octets.size(); ascii += sizeof eight) {
    std::memcpy(&eight, octets.data() + ascii, sizeof eight);
    if ((eight & high_bits) != 0) break;
  }
  while (ascii < octets.size() && static_cast<unsigned char>(octets[ascii]) < 0x80) ++ascii;
  return ascii;
}

}  // namespace syncline::text
