// SPDX-License-Identifier: GPL-3.0-or-later
// The cutter gives the same envelopes whatever the cuts, and each of them can be read alone.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "ews/xml/envelope_cutter.hpp"

namespace {

using syncline::ews::xml::EnvelopeCutter;

struct Outcome {
  std::vector<std::string> envelopes;
  std::string error;
  bool operator==(const Outcome&) const = default;
};

Outcome cut(std::string_view text, std::uint32_t seed) {
  Outcome outcome;
  EnvelopeCutter cutter;
  syncline::Result<void> result;
  while (!text.empty() && result) {
    std::size_t length = text.size();
    if (seed != 0) {
      seed = seed * 1664525 + 1013904223;
      length = std::min<std::size_t>(length, 1 + (seed >> 16) % 13);
    }
    result = cutter.feed(text.substr(0, length));
    text.remove_prefix(length);
  }
  if (result) result = cutter.finish();
  while (auto envelope = cutter.next()) outcome.envelopes.push_back(std::move(*envelope));
  if (!result) outcome.error = result.error().code;
  return outcome;
}

void require(bool good) {
  if (!good) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Outcome whole = cut(text, 0);
  require(cut(text, static_cast<std::uint32_t>(size) + 1) == whole);
  for (const std::string& envelope : whole.envelopes) {
    const Outcome alone = cut(envelope, 0);
    require(alone.error.empty() && alone.envelopes.size() == 1 && alone.envelopes.front() == envelope);
  }
  return 0;
}
