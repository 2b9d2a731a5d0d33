// SPDX-License-Identifier: GPL-3.0-or-later
// Whatever a server says: the reader takes it whole, cut in two at a place the input chooses and, while it is
// short, at every place, and must come to the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "routing/imap/mailbox_name.hpp"
#include "tests/unit/imap/transcript.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace syncline::imap;
  if (size < 2) return 0;
  const std::size_t chosen = data[0] * 256U + data[1];
  const std::string_view input(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Limits limits{.line_octets = 4096,
                      .reply_octets = 8192,
                      .literal_octets = 2048,
                      .streamed_octets = 65536,
                      .tokens = 2000,
                      .depth = 300,
                      .elements = 500};
  const std::string whole = testing::read_all(input, limits);
  const auto check = [&](std::size_t cut) {
    testing::Transcript halves(limits);
    halves.feed(input.substr(0, cut));
    halves.feed(input.substr(cut));
    if (halves.text() != whole) std::abort();
  };
  // Where the corpus is replayed, at every place, however long it is.
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
  constexpr std::size_t all_places = 512;
#else
  constexpr std::size_t all_places = 65'536;
#endif
  if (input.size() <= all_places) {
    for (std::size_t cut = 0; cut <= input.size(); ++cut) check(cut);
  } else {
    check(chosen % (input.size() + 1));
  }
  const std::string name = decode_mailbox_name(input.substr(0, 300));
  if (decode_mailbox_name(encode_mailbox_name(name)) != name) std::abort();
  return 0;
}
