// SPDX-License-Identifier: GPL-3.0-or-later
// A multi-line answer is read the same whole and cut in two at every octet; status lines, listings, cursors
// and headers are read whatever they are.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "routing/pop3/capabilities.hpp"
#include "routing/pop3/driver/header_hash.hpp"
#include "routing/pop3/driver/known_messages.hpp"
#include "routing/pop3/listing.hpp"
#include "routing/pop3/multiline.hpp"
#include "routing/pop3/reply_table.hpp"

namespace {

using namespace syncline::pop3;

struct Read {
  std::string text;
  std::size_t consumed = 0;
  bool complete = false;
  bool operator==(const Read&) const = default;
};

Read read(std::string_view first, std::string_view second, bool bare) {
  MultilineReader reader(bare);
  Read result;
  for (std::string_view piece : {first, second}) {
    while (!piece.empty() && !reader.complete()) {
      const auto step = reader.feed(piece);
      if ((step.consumed == 0 && step.text.empty()) || step.consumed > piece.size()) std::abort();
      result.text += step.text;
      result.consumed += step.consumed;
      piece.remove_prefix(step.consumed);
    }
  }
  result.complete = reader.complete();
  return result;
}

std::string hash(std::string_view first, std::string_view second) {
  HeaderHasher hasher;
  hasher.feed(first);
  hasher.feed(second);
  return hasher.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // Where the corpus is replayed, at every octet, however long it is.
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
  const std::size_t cuts = std::min<std::size_t>(size, 512);
#else
  const std::size_t cuts = size;
#endif
  const std::string whole_hash = hash(text, "");
  for (const bool bare : {false, true}) {
    const Read whole = read(text, "", bare);
    for (std::size_t cut = 1; cut < cuts; ++cut)
      if (read(text.substr(0, cut), text.substr(cut), bare) != whole) std::abort();
  }
  for (std::size_t cut = 1; cut < cuts; ++cut)
    if (hash(text.substr(0, cut), text.substr(cut)) != whole_hash) std::abort();
  Capabilities capabilities;
  for (const std::string_view line : syncline::text::split(text, '\n')) {
    if (const auto status = parse_status(line))
      for (const Stage stage : {Stage::sign_in, Stage::message, Stage::listing})
        if (refusal(*status, stage).code.empty()) std::abort();
    apop_timestamp(line);
    parse_list_line(line);
    parse_uidl_line(line);
    read_capability(capabilities, line);
  }
  if (const auto known = KnownMessages::parse(text))
    if (!KnownMessages::parse(known->text())) std::abort();
  return 0;
}
