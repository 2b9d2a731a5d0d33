// SPDX-License-Identifier: GPL-3.0-or-later
// What a server says is read the same whole and cut in two at every octet; what users write cannot leave its
// place in a command or in a text.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "routing/smtp/address.hpp"
#include "routing/smtp/commands.hpp"
#include "routing/smtp/content_encoder.hpp"
#include "routing/smtp/reply_table.hpp"

namespace {

using namespace syncline::smtp;

struct Read {
  std::vector<std::string> replies;
  std::string error;
  bool operator==(const Read&) const = default;
};

Read read(std::string_view first, std::string_view second) {
  Read result;
  ReplyReader reader;
  for (std::string_view piece : {first, second}) {
    while (!piece.empty()) {
      auto used = reader.feed(piece);
      if (!used) {
        result.error = used.error().code;
        return result;
      }
      piece.remove_prefix(*used);
      if (!reader.complete()) continue;
      const Reply reply = reader.take();
      read_capabilities(reply);
      if (refusal(reply, Stage::content).code.empty()) std::abort();
      result.replies.push_back(reply.describe());
    }
  }
  return result;
}

std::string encode(ContentEncoder::Form form, std::string_view first, std::string_view second) {
  ContentEncoder encoder(form);
  std::string out;
  encoder.feed(first, out);
  encoder.feed(second, out);
  encoder.finish(out);
  return out;
}

/// The text ends where it should, and has no line end but CRLF.
void check_encoded(const std::string& stuffed) {
  if (stuffed != ".\r\n" && !stuffed.ends_with("\r\n.\r\n")) std::abort();
  if (stuffed.size() > 3 && stuffed.find("\r\n.\r\n") != stuffed.size() - 5) std::abort();
  if (stuffed.size() > 3 && stuffed.starts_with(".\r\n")) std::abort();
  for (std::size_t i = 0; i < stuffed.size(); ++i) {
    if (stuffed[i] == '\n' && (i == 0 || stuffed[i - 1] != '\r')) std::abort();
    if (stuffed[i] == '\r' && (i + 1 == stuffed.size() || stuffed[i + 1] != '\n')) std::abort();
  }
}

void check_command(const std::string& line) {
  if (!line.ends_with("\r\n") || line.find_first_of("\r\n") != line.size() - 2) std::abort();
  if (line.find('\0') != std::string::npos) std::abort();
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
  const Read whole = read(text, "");
  const std::string stuffed = encode(ContentEncoder::Form::dot_stuffed, text, "");
  const std::string plain = encode(ContentEncoder::Form::plain, text, "");
  check_encoded(stuffed);
  for (std::size_t cut = 1; cut < cuts; ++cut) {
    if (read(text.substr(0, cut), text.substr(cut)) != whole) std::abort();
    if (encode(ContentEncoder::Form::dot_stuffed, text.substr(0, cut), text.substr(cut)) != stuffed)
      std::abort();
    if (encode(ContentEncoder::Form::plain, text.substr(0, cut), text.substr(cut)) != plain) std::abort();
  }
  const Capabilities all{.smtputf8 = true, .dsn = true};
  if (auto line = rcpt_to(text, true, all)) check_command(*line);
  if (auto line = mail_from(text, {.envelope_id = std::string(text)}, all)) check_command(*line);
  check_command(ehlo(text));
  return 0;
}
