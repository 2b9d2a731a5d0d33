// SPDX-License-Identifier: GPL-3.0-or-later
// Reading messages: any octets are one, the same wherever they are cut; what was read can be written, and is
// then read as it was.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "mime/compose.hpp"
#include "mime/reader.hpp"

namespace {

namespace mime = syncline::mime;

void require(bool good) {
  if (!good) std::abort();
}

/// Small, so that short inputs reach them.
mime::ReadOptions options() {
  mime::ReadOptions options;
  options.limits = {.header_octets = 4'000,
                    .field_octets = 1'000,
                    .fields = 50,
                    .addresses = 20,
                    .text_octets = 2'000,
                    .name_octets = 100,
                    .captured_octets = 1'000,
                    .depth = 4,
                    .parts = 20};
  return options;
}

mime::Message read(std::string_view octets, std::size_t piece) {
  mime::MessageReader reader(options());
  for (std::size_t at = 0; at < octets.size(); at += piece)
    require(reader.feed(octets.substr(at, piece)).has_value());
  auto message = reader.finish();
  require(message.has_value());
  return *std::move(message);
}

void require_text(std::string_view text) {
  require(syncline::text::is_valid_utf8(text));
}
void require_if_there(const std::optional<std::string>& text) {
  if (text) require_text(*text);
}
void require_people(const std::optional<std::vector<mime::Mailbox>>& people) {
  if (!people) return;
  require(people->size() <= options().limits.addresses);
  for (const mime::Mailbox& one : *people) {
    require_text(one.name);
    require_text(one.address);
  }
}

void check(const mime::Message& message) {
  require_if_there(message.subject);
  require_if_there(message.message_id);
  require_if_there(message.in_reply_to);
  require_if_there(message.references);
  for (const auto* people :
       {&message.from, &message.sender, &message.to, &message.cc, &message.bcc, &message.reply_to})
    require_people(*people);
  for (const auto* body : {&message.text, &message.html}) {
    if (!*body) continue;
    require_text((*body)->value);
    require((*body)->value.size() <= options().limits.text_octets);
  }
  require(message.attachments.size() <= options().limits.parts);
  for (const mime::Attachment& one : message.attachments) {
    require_text(one.name);
    require_text(one.type);
    require_text(one.content_id);
    require(one.name.size() <= options().limits.name_octets);
  }
  require(!message.key().empty());
}

bool same(const std::optional<mime::BodyText>& a, const std::optional<mime::BodyText>& b) {
  return a.has_value() == b.has_value() && (!a || (a->value == b->value && a->is_cut == b->is_cut));
}

void require_same(const mime::Message& a, const mime::Message& b) {
  require(a.headers == b.headers && a.subject == b.subject && a.from == b.from && a.to == b.to &&
          a.date == b.date);
  require(a.defects == b.defects && a.sha256 == b.sha256 && a.key() == b.key());
  require(same(a.text, b.text) && same(a.html, b.html));
  require(a.attachments.size() == b.attachments.size());
  for (std::size_t i = 0; i < a.attachments.size(); ++i)
    require(a.attachments[i].sha256 == b.attachments[i].sha256 &&
            a.attachments[i].name == b.attachments[i].name);
}

/// A message made of what was read, as an answer or a copy of it would be.
void write_again(const mime::Message& message, bool utf8) {
  mime::Draft draft;
  draft.from = {{"", "a@example.com"}};
  draft.message_id = "<1@example.com>";
  draft.date = message.date.value_or(mime::DateTime());
  draft.subject = message.subject.value_or(std::string());
  if (message.references) draft.references = {*message.references};
  if (message.text) draft.text = message.text->value;
  if (message.html) draft.html = message.html->value;
  if (message.from && !message.from->empty()) draft.from[0].name = message.from->front().name;
  for (const mime::Attachment& one : message.attachments) {
    draft.attachments.push_back({.name = one.name,
                                 .type = one.type,
                                 .content_id = one.content_id,
                                 .open = []() -> syncline::Result<std::unique_ptr<mime::Source>> {
                                   return std::make_unique<mime::MemorySource>("octets");
                                 }});
  }
  mime::StringSink sink;
  const mime::ComposeOptions how{.utf8 = utf8};
  require(mime::compose(draft, how, sink).has_value());
  require(*mime::composed_size(draft, how) == sink.octets.size());
  const auto again = mime::read_message(sink.octets);
  require(again.has_value());
  require(again->subject == draft.subject);
  require(again->from->size() == 1 && again->from->front().address == "a@example.com");
  require(again->bcc == std::nullopt);
  require(again->attachments.size() == draft.attachments.size());
  std::size_t start = 0;
  for (std::size_t end = sink.octets.find('\n'); end != std::string::npos;
       end = sink.octets.find('\n', start)) {
    require(end > 0 && sink.octets[end - 1] == '\r' && end - start <= 999);
    start = end + 1;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  const mime::Message whole = read(octets, size + 1);
  check(whole);
  require_same(read(octets, 1), whole);
  require_same(read(octets, 2 + size % 11), whole);
  // Cut in two: at every octet where the corpus is replayed, here and there where inputs are many.
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
  const std::size_t step = 1 + size / 4;
#else
  const std::size_t step = 1 + size / 2'000;
#endif
  for (std::size_t cut = 1; cut < size; cut += step) {
    mime::MessageReader reader(options());
    require(reader.feed(octets.substr(0, cut)).has_value() && reader.feed(octets.substr(cut)).has_value());
    auto message = reader.finish();
    require(message.has_value());
    require_same(*message, whole);
  }
  write_again(whole, size % 2 == 0);
  return 0;
}
