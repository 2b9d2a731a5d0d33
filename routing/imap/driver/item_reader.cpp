// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/imap/driver/item_reader.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <memory>
#include <set>
#include <utility>

#include "base/text.hpp"
#include "routing/imap/driver/attachments.hpp"
#include "routing/imap/driver/item_id.hpp"
#include "routing/imap/mailbox_name.hpp"
#include "routing/message/message_fields.hpp"

namespace syncline::imap {
namespace {

namespace json = boost::json;

/// The header field of our own messages (routing/smtp writes it).
constexpr std::string_view operation_header = "X-Syncline-Operation";

bool has_flag(const std::vector<std::string>& flags, std::string_view flag) {
  return std::any_of(flags.begin(), flags.end(),
                     [&](const std::string& one) { return text::equals_ignore_case(one, flag); });
}

/// Labels that users made; Gmail's own begin with a backslash and say where a message lies.
json::value categories_of(const std::vector<std::string>& labels) {
  json::array made;
  std::set<std::string> seen;
  for (const std::string& label : labels) {
    if (label.starts_with('\\')) continue;
    const std::string name = decode_mailbox_name(label);
    const std::string_view trimmed = text::trim(name);
    if (trimmed.empty() || !seen.emplace(trimmed).second) continue;
    made.emplace_back(trimmed);
  }
  return made.empty() ? json::value() : json::value(std::move(made));
}

bool is_whole_section(std::string_view name) {
  return text::equals_ignore_case(name, "BODY[]") || text::equals_ignore_case(name, "RFC822");
}

class KeepAttachment final : public mime::AttachmentSink {
 public:
  KeepAttachment(KeptContent& content, std::size_t number) : content_(content), number_(number) {}
  Result<void> write(std::string_view octets) override {
    content_.attachments[number_] += octets;
    return {};
  }
  Result<void> close(const mime::Attachment&) override {
    content_.attachments[number_].shrink_to_fit();
    return {};
  }

 private:
  KeptContent& content_;
  std::size_t number_;
};

}  // namespace

std::string version_of(const std::vector<std::string>& flags) {
  return has_flag(flags, "\\Seen") ? "r" : "u";
}

ItemReader::ItemReader(const ReadTerms& terms, std::string_view section, std::uint64_t octets)
    : terms_(terms), is_whole_(is_whole_section(section)) {
  if (is_whole_ && octets <= terms.keep_most_octets) kept_.emplace();
  mime::ReadOptions options;
  options.hash_octets = options.hash_attachments = false;
  if (kept_ && terms.keep_as_received) kept_->as_received.reserve(static_cast<std::size_t>(octets));
  if (kept_ && !terms.keep_as_received)
    options.open_sink = [this](const mime::Attachment&) -> Result<std::unique_ptr<mime::AttachmentSink>> {
      kept_->attachments.emplace_back();
      return std::make_unique<KeepAttachment>(*kept_, kept_->attachments.size() - 1);
    };
  reader_.emplace(std::move(options));
}

Result<void> ItemReader::feed(std::string_view octets) {
  if (kept_ && terms_.keep_as_received) kept_->as_received += octets;
  return reader_->feed(octets);
}

Result<ReadItem> ItemReader::finish(const FetchReply& reply) {
  auto message = reader_->finish();
  if (!message) return fail(std::move(message.error()));
  return ReadItem{.uid = reply.uid, .item = item_of(reply, *message), .kept = std::move(kept_)};
}

sync::RemoteItem ItemReader::item_of(const FetchReply& reply, const mime::Message& message) const {
  static const std::vector<std::string> none;
  const std::vector<std::string>& flags = reply.flags ? *reply.flags : none;
  sync::RemoteItem item;
  item.ref.id = ItemId{reply.uid, terms_.uid_validity, terms_.folder}.text();
  item.ref.version = version_of(flags);
  item.kind = model::RecordKind::email;
  item.folder_id = terms_.folder;
  item.item_class = mail::item_class_of(message);
  SearchKey key{.gmail_message_id = reply.gmail_message_id,
                .octets = reply.size.value_or(0),
                .message_id = message.message_id.value_or("")};
  if (reply.internal_date)
    key.received_seconds =
        std::chrono::duration_cast<std::chrono::seconds>(reply.internal_date->time_since_epoch()).count();
  item.search_key = key.text();
  if (auto id = message.header(operation_header))
    if (const std::string_view trimmed = text::trim(*id); !trimmed.empty()) item.operation_id = trimmed;
  item.is_own_automatic_mail = message.header(sync::own_mail_header).has_value();
  mail::MessageContext context;
  context.received = reply.internal_date;
  context.is_read = has_flag(flags, "\\Seen");
  context.with_body = terms_.with_body;
  context.is_whole = is_whole_;
  context.attachment_prefix = item.ref.id + attachment_border;
  item.fields = mail::fields_of(message, context);
  if (reply.gmail_labels) item.fields["categories"] = categories_of(*reply.gmail_labels);
  if (!is_whole_ && reply.structure) {
    item.fields["attachments"] = attachments_of(*reply.structure, item.ref.id);
    item.item_class = item_class_of(*reply.structure);
    item.fields["itemClass"] = item.item_class;
    item.fields["isEncrypted"] = is_encrypted(*reply.structure);
  }
  return item;
}

}  // namespace syncline::imap
