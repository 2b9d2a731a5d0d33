// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// How much of a message is kept in memory, and how far its structure is followed. What lies beyond is not
// lost: the message's own octets are kept by whoever stored them.
#include <cstddef>

namespace syncline::mime {

struct Limits {
  std::size_t header_octets = std::size_t{1} << 20;   ///< of one header, of the message or of a part
  std::size_t field_octets = std::size_t{256} << 10;  ///< of one field
  std::size_t fields = 2'000;                         ///< of one header
  std::size_t addresses = 10'000;                     ///< of one field
  std::size_t text_octets = std::size_t{3} << 20;     ///< of one body text, as it was sent
  std::size_t name_octets = 1'024;                    ///< of an attachment's name in UTF-8
  std::size_t captured_octets = std::size_t{256}
                                << 10;  ///< of a calendar part, a delivery report, an attached header
  std::size_t depth = 64;               ///< of multiparts in each other
  std::size_t parts = 10'000;
};

}  // namespace syncline::mime
