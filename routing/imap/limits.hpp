// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How much a server may say before we stop listening. Nothing is allocated on a server's word alone: buffers
// grow with what arrives.
#include <cstddef>
#include <cstdint>

namespace syncline::imap {

struct Limits {
  std::size_t line_octets = std::size_t{16}
                            << 20;  ///< up to a literal or the end; a SEARCH reply of 2 million
  std::size_t reply_octets = std::size_t{24} << 20;        ///< a reply without its streamed literals
  std::size_t literal_octets = std::size_t{4} << 20;       ///< a literal that is kept in memory
  std::uint64_t streamed_octets = std::uint64_t{1} << 30;  ///< a literal that goes to a sink
  std::size_t tokens = std::size_t{4} << 20;               ///< in one reply
  std::size_t depth = 500;                                 ///< of parentheses
  std::uint64_t replies_to_a_command = 4'000'000;          ///< untagged
  std::size_t elements = 1'000'000;                        ///< folders listed, ranges in a set of UIDs
};

}  // namespace syncline::imap
