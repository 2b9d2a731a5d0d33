// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/views/json_octets.hpp"

#include <array>
#include <boost/json/serializer.hpp>

namespace syncline::service {

std::size_t octets_of(const boost::json::object& object) {
  boost::json::serializer writer;
  writer.reset(&object);
  std::array<char, 16 * 1024> piece;
  std::size_t octets = 0;
  while (!writer.done()) octets += writer.read(piece.data(), piece.size()).size();
  return octets;
}

}  // namespace syncline::service
