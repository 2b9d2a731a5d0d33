// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/pop3/driver/mime_reader.hpp"

#include <utility>
#include <vector>

#include "base/text.hpp"
#include "mime/reader.hpp"
#include "routing/message/message_fields.hpp"
#include "routing/message/operation_mark.hpp"

namespace syncline::pop3 {
namespace {

constexpr std::size_t piece_octets = 64 * 1024;

Result<mime::Message> read_all(sync::ContentSource& source, mime::MessageReader reader) {
  std::vector<std::byte> piece(piece_octets);
  for (;;) {
    auto count = source.read(piece);
    if (!count) return fail(std::move(count.error()));
    if (*count == 0) return reader.finish();
    auto fed = reader.feed({reinterpret_cast<const char*>(piece.data()), *count});
    if (!fed) return fail(std::move(fed.error()));
  }
}

ReadMail mail_of(const mime::Message& message, ReadWish wish) {
  ReadMail mail;
  mail.item_class = mail::item_class_of(message);
  if (auto id = message.header(mail::operation_header))
    if (const std::string_view trimmed = text::trim(*id); !trimmed.empty()) mail.operation_id = trimmed;
  mail.is_own_automatic_mail = message.header(sync::own_mail_header).has_value();
  mail::MessageContext context;
  context.with_body = wish.with_body;
  context.is_whole = wish.is_whole;
  mail.fields = mail::fields_of(message, context);
  return mail;
}

/// One attachment's octets, up to a limit.
class PartSink final : public mime::AttachmentSink {
 public:
  PartSink(sync::ContentSink& sink, std::uint64_t most_octets) : sink_(sink), most_octets_(most_octets) {}
  Result<void> write(std::string_view octets) override {
    if (octets.size() > most_octets_ - octets_)
      return fail(ErrorDomain::mail, "too-large",
                  "the attachment is larger than the limit of " + std::to_string(most_octets_) + " octets");
    octets_ += octets.size();
    return sink_.write(std::as_bytes(std::span<const char>(octets.data(), octets.size())));
  }
  Result<void> close(const mime::Attachment&) override { return {}; }

 private:
  sync::ContentSink& sink_;
  std::uint64_t most_octets_;
  std::uint64_t octets_ = 0;
};

/// An attached message goes through a reader of its own.
class NestedSink final : public mime::AttachmentSink {
 public:
  explicit NestedSink(mime::MessageReader& reader) : reader_(reader) {}
  Result<void> write(std::string_view octets) override { return reader_.feed(octets); }
  Result<void> close(const mime::Attachment&) override { return {}; }

 private:
  mime::MessageReader& reader_;
};

class MimeReader final : public MessageReader {
 public:
  Result<ReadMail> read(sync::ContentSource& source, ReadWish wish) override {
    mime::ReadOptions options;
    options.hash_octets = options.hash_attachments = false;
    auto message = read_all(source, mime::MessageReader(std::move(options)));
    if (!message) return fail(std::move(message.error()));
    return mail_of(*message, wish);
  }

  Result<void> read_part(sync::ContentSource& source, std::string_view part_id, sync::ContentSink& sink,
                         std::uint64_t most_octets) override {
    const auto wanted = text::parse_int(part_id);
    if (!wanted || *wanted < 0) return fail(ErrorDomain::mail, "gone", "the message has no such attachment");
    std::int64_t next = 0;
    bool found = false;
    mime::ReadOptions options;
    options.hash_octets = options.hash_attachments = false;
    options.open_sink = [&](const mime::Attachment&) -> Result<std::unique_ptr<mime::AttachmentSink>> {
      if (next++ != *wanted) return nullptr;
      found = true;
      return std::make_unique<PartSink>(sink, most_octets);
    };
    auto message = read_all(source, mime::MessageReader(std::move(options)));
    if (!message) return fail(std::move(message.error()));
    if (!found) return fail(ErrorDomain::mail, "gone", "the message has no such attachment");
    return {};
  }

  Result<std::optional<AttachedMail>> attached_message(sync::ContentSource& source) override {
    mime::ReadOptions inner;
    inner.hash_octets = inner.hash_attachments = false;
    mime::MessageReader nested(std::move(inner));
    std::size_t next = 0;
    std::optional<std::size_t> place;
    mime::ReadOptions options;
    options.hash_octets = options.hash_attachments = false;
    options.open_sink =
        [&](const mime::Attachment& attachment) -> Result<std::unique_ptr<mime::AttachmentSink>> {
      const std::size_t here = next++;
      if (place || attachment.kind != mime::AttachmentKind::message) return nullptr;
      place = here;
      return std::make_unique<NestedSink>(nested);
    };
    auto message = read_all(source, mime::MessageReader(std::move(options)));
    if (!message) return fail(std::move(message.error()));
    if (!place) return std::nullopt;
    auto attached = nested.finish();
    if (!attached) return fail(std::move(attached.error()));
    AttachedMail made;
    made.part_id = std::to_string(*place);
    made.mail = mail_of(*attached, {});
    return made;
  }
};

}  // namespace

std::unique_ptr<MessageReader> mime_message_reader() {
  return std::make_unique<MimeReader>();
}

}  // namespace syncline::pop3
