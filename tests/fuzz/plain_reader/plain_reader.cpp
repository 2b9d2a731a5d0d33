// SPDX-License-Identifier: GPL-3.0-or-later
// What the plain reader takes, libxml2 takes, and both tell the same; of clean and of raw octets.
#include "ews/xml/plain_reader.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

#include "ews/xml/scanner.hpp"
#include "tests/unit/ews_xml/recorder.hpp"

namespace {

using namespace syncline::ews::xml;

void compare(std::string_view document) {
  test::Recorder plain;
  if (!read_plain(document, plain)) return;
  test::Recorder other;
  SaxReader reader(other);
  if (!reader.feed(document) || !reader.finish() || plain.seen != other.seen) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  compare(text);
  Scanner scanner;
  std::string clean;
  if (scanner.feed(text, clean) && scanner.finish(clean)) compare(clean);
  return 0;
}
