// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/xml/envelope_cutter.hpp"

#include "base/text.hpp"

namespace syncline::ews::xml {

Limits EnvelopeCutter::notification_limits() noexcept {
  Limits limits;
  limits.octets = std::uint64_t{16} << 20;
  limits.elements = 500'000;
  return limits;
}

EnvelopeCutter::EnvelopeCutter(Limits limits) : scanner_(limits) {}

Result<void> EnvelopeCutter::feed(std::string_view octets) {
  auto scanned = scanner_.feed(octets, clean_, &ends_);
  cut();
  return scanned;
}

Result<void> EnvelopeCutter::finish() {
  auto scanned = scanner_.finish(clean_, &ends_);
  cut();
  return scanned;
}

void EnvelopeCutter::cut() {
  std::size_t done = 0;
  for (const std::size_t end : ends_) {
    complete_.emplace_back(text::trim(std::string_view(clean_).substr(done, end - done)));
    done = end;
  }
  ends_.clear();
  clean_.erase(0, done);
  // A heartbeat of blank lines between envelopes must not pile up.
  if (!scanner_.in_document() && text::trim(clean_).empty()) clean_.clear();
}

std::optional<std::string> EnvelopeCutter::next() {
  if (complete_.empty()) return std::nullopt;
  std::string envelope = std::move(complete_.front());
  complete_.pop_front();
  return envelope;
}

}  // namespace syncline::ews::xml
