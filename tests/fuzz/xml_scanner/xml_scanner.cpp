// SPDX-License-Identifier: GPL-3.0-or-later
// The scanner gives the same whatever the cuts, and only what XML allows.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "ews/xml/scanner.hpp"

namespace {

using syncline::ews::xml::Limits;
using syncline::ews::xml::Scanner;

struct Outcome {
  std::string text;
  std::string error;
  std::uint64_t replaced = 0;
  std::uint64_t line = 0;
  bool operator==(const Outcome&) const = default;
};

Limits small_limits() {
  Limits limits;
  limits.depth = 16;
  limits.elements = 200;
  limits.attributes = 8;
  limits.tag_octets = 200;
  return limits;
}

/// Pieces of the lengths that `seed` draws; whole if it is 0.
Outcome scan(std::string_view text, std::uint32_t seed) {
  Outcome outcome;
  Scanner scanner(small_limits());
  syncline::Result<void> result;
  while (!text.empty() && result) {
    std::size_t length = text.size();
    if (seed != 0) {
      seed = seed * 1664525 + 1013904223;
      length = std::min<std::size_t>(length, 1 + (seed >> 16) % 9);
    }
    result = scanner.feed(text.substr(0, length), outcome.text);
    text.remove_prefix(length);
  }
  if (result) result = scanner.finish(outcome.text);
  if (!result) outcome.error = result.error().code;
  // With an error a transcoder has counted as far as the piece went.
  if (result) outcome.replaced = scanner.replaced();
  outcome.line = scanner.line();
  return outcome;
}

void require(bool good) {
  if (!good) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Outcome whole = scan(text, 0);
  require(scan(text, static_cast<std::uint32_t>(size) + 1) == whole);
  require(scan(text, 77) == whole);
  std::size_t illegal = 0;
  syncline::text::to_xml_text(whole.text, &illegal);
  require(illegal == 0);
  // Nothing is left to do in what was cleaned.
  if (whole.error.empty()) {
    const Outcome again = scan(whole.text, 0);
    require(again.text == whole.text && again.replaced == 0 &&
            (again.error.empty() || again.error == "too-large"));
  }
  return 0;
}
