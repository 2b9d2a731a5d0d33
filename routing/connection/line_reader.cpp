// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/connection/line_reader.hpp"

#include <utility>

namespace syncline::mail {

Result<std::size_t> LineReader::feed(std::string_view octets) {
  if (complete_) return std::size_t{0};
  const std::size_t end = octets.find('\n');
  const std::size_t count = end == std::string_view::npos ? octets.size() : end + 1;
  if (count > limit_octets_ - line_.size()) {
    return fail(ErrorDomain::mail, "line-too-long",
                "the server sends a line of more than " + std::to_string(limit_octets_) + " octets");
  }
  line_.append(octets.substr(0, count));
  if (end != std::string_view::npos) {
    complete_ = true;
    line_.pop_back();
    bare_ = line_.empty() || line_.back() != '\r';
    if (!bare_) line_.pop_back();
  }
  return count;
}

std::string LineReader::take() {
  complete_ = false;
  return std::exchange(line_, {});
}

}  // namespace syncline::mail
