// SPDX-License-Identifier: GPL-3.0-or-later
#include "net/body.hpp"

#include <algorithm>
#include <cstring>

namespace syncline::net {

Async<std::size_t> StringSource::read(std::span<std::byte> buffer) {
  const std::size_t count = std::min(buffer.size(), octets_.size() - position_);
  if (count > 0) std::memcpy(buffer.data(), octets_.data() + position_, count);
  position_ += count;
  co_return count;
}

Result<void> StringSource::rewind() {
  position_ = 0;
  return {};
}

Async<void> StringSink::write(std::span<const std::byte> octets) {
  if (octets.size() > limit_octets_ - octets_.size()) {
    co_return fail(ErrorDomain::http, "too-large",
                   "the body is larger than the limit of " + std::to_string(limit_octets_) + " octets");
  }
  octets_.append(reinterpret_cast<const char*>(octets.data()), octets.size());
  co_return Result<void>{};
}

}  // namespace syncline::net
