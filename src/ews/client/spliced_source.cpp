// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/client/spliced_source.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace syncline::ews {
namespace {

constexpr std::size_t chunk_octets = 48 * 1024;  // whole base64 groups

}  // namespace

SplicedSource::SplicedSource(std::string prefix, std::shared_ptr<net::Source> octets, std::string suffix)
    : prefix_(std::move(prefix)),
      octets_(std::move(octets)),
      suffix_(std::move(suffix)),
      pending_(prefix_),
      chunk_(chunk_octets, '\0') {}

std::size_t SplicedSource::take_pending(std::span<std::byte> buffer) {
  const std::size_t count = std::min(buffer.size(), pending_.size() - taken_);
  std::memcpy(buffer.data(), pending_.data() + taken_, count);
  taken_ += count;
  return count;
}

net::Async<std::size_t> SplicedSource::read(std::span<std::byte> buffer) {
  for (;;) {
    if (taken_ < pending_.size()) co_return take_pending(buffer);
    pending_.clear();
    taken_ = 0;
    if (next_ == Part::end) co_return 0;
    if (next_ == Part::suffix) {
      pending_ = suffix_;
      next_ = Part::end;
      continue;
    }
    auto got = co_await octets_->read(std::as_writable_bytes(std::span(chunk_)));
    if (!got) co_return fail(std::move(got.error()));
    if (*got == 0) {
      encoder_.finish(pending_);
      next_ = Part::suffix;
    } else {
      encoder_.feed(std::string_view(chunk_).substr(0, *got), pending_);
    }
  }
}

Result<void> SplicedSource::rewind() {
  if (auto back = octets_->rewind(); !back) return back;
  pending_ = prefix_;
  taken_ = 0;
  next_ = Part::octets;
  encoder_ = {};
  return {};
}

std::optional<std::uint64_t> SplicedSource::size() const {
  const auto octets = octets_->size();
  if (!octets) return std::nullopt;
  return prefix_.size() + Base64Encoder::encoded_size(*octets) + suffix_.size();
}

}  // namespace syncline::ews
