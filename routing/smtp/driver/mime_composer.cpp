// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/smtp/driver/mime_composer.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/text.hpp"
#include "mime/compose.hpp"

namespace syncline::smtp {
namespace {

namespace json = boost::json;
using model::text_of;

unexpected<Error> file_failed(const char* what) {
  return fail(ErrorDomain::local, "text-failed",
              std::string("the file for a message's text cannot be ") + what + ": " + std::strerror(errno),
              RetryClass::after);
}

/// Octets in memory, and beyond a limit in a file that has no name.
struct Text {
  ~Text() {
    if (descriptor >= 0) ::close(descriptor);
  }
  std::string memory;
  int descriptor = -1;
  std::uint64_t octets = 0;
};

class TextSource final : public sync::ContentSource {
 public:
  explicit TextSource(std::shared_ptr<const Text> text) : text_(std::move(text)) {}

  std::uint64_t size() const override { return text_->octets; }
  Result<std::size_t> read(std::span<std::byte> buffer) override {
    const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), text_->octets - at_));
    if (most == 0) return std::size_t{0};
    if (text_->descriptor < 0) {
      std::memcpy(buffer.data(), text_->memory.data() + at_, most);
      at_ += most;
      return most;
    }
    const ssize_t got = ::pread(text_->descriptor, buffer.data(), most, static_cast<off_t>(at_));
    if (got <= 0) return file_failed("read");
    at_ += static_cast<std::uint64_t>(got);
    return static_cast<std::size_t>(got);
  }
  Result<void> rewind() override {
    at_ = 0;
    return {};
  }

 private:
  std::shared_ptr<const Text> text_;
  std::uint64_t at_ = 0;
};

class TextSink final : public mime::Sink {
 public:
  explicit TextSink(const ComposerSettings& settings) : settings_(settings) {}

  Result<void> write(std::string_view octets) override {
    look_at(octets);
    text_->octets += octets.size();
    text_->memory.append(octets);
    const bool in_file = text_->descriptor >= 0;
    if (text_->memory.size() < (in_file ? std::size_t{256} << 10 : settings_.memory_octets)) return {};
    return flush();
  }

  Result<Message> finish() {
    if (text_->descriptor >= 0)
      if (auto flushed = flush(); !flushed) return fail(std::move(flushed.error()));
    Message made;
    made.eight_bit = eight_bit_;
    made.utf8_header = utf8_header_;
    made.text = std::make_unique<TextSource>(std::exchange(text_, nullptr));
    return made;
  }

 private:
  /// What the envelope has to say of the text.
  void look_at(std::string_view octets) {
    for (const char c : octets) {
      const bool high = static_cast<unsigned char>(c) >= 0x80;
      eight_bit_ = eight_bit_ || high;
      if (in_header_) {
        utf8_header_ = utf8_header_ || high;
        in_header_ = !(c == '\n' && line_is_empty_);
        if (c == '\n')
          line_is_empty_ = true;
        else if (c != '\r')
          line_is_empty_ = false;
      } else if (eight_bit_) {
        return;
      }
    }
  }

  Result<void> flush() {
    if (text_->descriptor < 0) {
      std::error_code none;
      const std::string folder =
          settings_.folder.empty() ? std::filesystem::temp_directory_path(none).string() : settings_.folder;
      text_->descriptor = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
      if (text_->descriptor < 0) {
        // Not every file system has O_TMPFILE.
        std::string name = folder + "/syncline-mail-XXXXXX";
        text_->descriptor = ::mkostemp(name.data(), O_CLOEXEC);
        if (text_->descriptor < 0) return file_failed("made");
        ::unlink(name.c_str());
      }
    }
    std::string_view rest = text_->memory;
    while (!rest.empty()) {
      const ssize_t put = ::write(text_->descriptor, rest.data(), rest.size());
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0) return file_failed("written");
      rest.remove_prefix(static_cast<std::size_t>(put));
    }
    text_->memory.clear();
    return {};
  }

  const ComposerSettings& settings_;
  std::shared_ptr<Text> text_ = std::make_shared<Text>();
  bool eight_bit_ = false;
  bool utf8_header_ = false;
  bool in_header_ = true;
  bool line_is_empty_ = false;
};

/// Content of the store, as src/mime wants it.
class StoredFile final : public mime::Source {
 public:
  explicit StoredFile(std::unique_ptr<sync::ContentSource> content) : content_(std::move(content)) {}
  std::uint64_t size() const override { return content_->size(); }
  Result<std::size_t> read(std::span<char> buffer) override {
    return content_->read(std::as_writable_bytes(buffer));
  }
  Result<void> rewind() override { return content_->rewind(); }

 private:
  std::unique_ptr<sync::ContentSource> content_;
};

std::optional<mime::Mailbox> person_in(const json::value* value) {
  if (value == nullptr || !value->is_object()) return std::nullopt;
  mime::Mailbox made{.name = std::string(text_of(value->get_object(), "name")),
                     .address = std::string(text::trim(text_of(value->get_object(), "emailAddress")))};
  if (made.address.empty()) return std::nullopt;
  return made;
}

std::vector<mime::Mailbox> people_in(const model::Fields& fields, std::string_view name) {
  std::vector<mime::Mailbox> made;
  const json::value* list = fields.if_contains(name);
  if (list == nullptr || !list->is_array()) return made;
  for (const json::value& one : list->get_array())
    if (auto person = person_in(&one)) made.push_back(std::move(*person));
  return made;
}

std::vector<std::string> ids_in(std::string_view text) {
  std::vector<std::string> ids;
  for (const std::string_view word : text::split(text, ' '))
    if (const std::string_view id = text::trim(word); !id.empty()) ids.emplace_back(id);
  return ids;
}

void set_sender(mime::Draft& draft, const sync::WriteOrder& order, const ComposerSettings& settings) {
  const mime::Mailbox own{.name = settings.name, .address = settings.address};
  auto from = person_in(order.fields.if_contains("from"));
  if (!order.send_as.empty()) {
    const bool named = from && text::equals_ignore_case(from->address, order.send_as);
    from = mime::Mailbox{.name = named ? from->name : std::string(), .address = order.send_as};
  }
  draft.from = {from.value_or(own)};
  if (!text::equals_ignore_case(draft.from.front().address, own.address)) draft.sender = own;
}

void set_body(mime::Draft& draft, const model::Fields& fields) {
  const json::value* body = fields.if_contains("body");
  if (body != nullptr && body->is_object()) {
    std::string value(text_of(body->get_object(), "value"));
    if (text::equals_ignore_case(text_of(body->get_object(), "type"), "html"))
      draft.html = std::move(value);
    else
      draft.text = std::move(value);
  }
  if (!draft.html && !draft.text) draft.text = std::string();
}

void set_files(mime::Draft& draft, const model::Fields& fields, const sync::OpenContent& content) {
  const json::value* list = fields.if_contains("attachments");
  if (list == nullptr || !list->is_array()) return;
  for (const json::value& one : list->get_array()) {
    if (!one.is_object()) continue;
    const json::object& attachment = one.get_object();
    const std::string sha256(text_of(attachment, "sha256"));
    if (sha256.empty()) continue;
    const json::value* is_inline = attachment.if_contains("isInline");
    mime::DraftFile file{.name = std::string(text_of(attachment, "name")),
                         .type = std::string(text_of(attachment, "contentType")),
                         .content_id = std::string(text_of(attachment, "contentId"))};
    file.open = [sha256, content]() -> Result<std::unique_ptr<mime::Source>> {
      auto opened = content(sha256);
      if (!opened) return fail(std::move(opened.error()));
      return std::make_unique<StoredFile>(std::move(*opened));
    };
    const bool beside_html = is_inline != nullptr && is_inline->is_bool() && is_inline->get_bool();
    (beside_html ? draft.inline_files : draft.attachments).push_back(std::move(file));
  }
}

mime::Importance importance_in(std::string_view word) {
  if (word == "High") return mime::Importance::high;
  if (word == "Low") return mime::Importance::low;
  return mime::Importance::normal;
}

mime::Sensitivity sensitivity_in(std::string_view word) {
  if (word == "Personal") return mime::Sensitivity::personal;
  if (word == "Private") return mime::Sensitivity::private_;
  if (word == "Confidential") return mime::Sensitivity::confidential;
  return mime::Sensitivity::normal;
}

mime::Draft draft_of(const sync::WriteOrder& order, const ComposeWish& wish, const sync::OpenContent& content,
                     const ComposerSettings& settings) {
  const model::Fields& fields = order.fields;
  mime::Draft draft;
  set_sender(draft, order, settings);
  draft.to = people_in(fields, "toRecipients");
  draft.cc = people_in(fields, "ccRecipients");
  draft.bcc = people_in(fields, "bccRecipients");
  draft.reply_to = people_in(fields, "replyTo");
  draft.subject = text_of(fields, "subject");
  draft.date = {.instant = std::chrono::floor<std::chrono::seconds>(wish.date),
                .offset = std::chrono::minutes(0)};
  draft.message_id = wish.message_id;
  draft.in_reply_to = ids_in(text_of(fields, "inReplyTo"));
  draft.references = ids_in(text_of(fields, "references"));
  draft.importance = importance_in(text_of(fields, "importance"));
  draft.sensitivity = sensitivity_in(text_of(fields, "sensitivity"));
  set_body(draft, fields);
  set_files(draft, fields, content);
  if (order.is_automatic) {
    draft.is_automatic = true;
    draft.extra_fields.push_back({.name = std::string(sync::own_mail_header), .value = "yes"});
  }
  if (!order.operation_id.empty())
    draft.extra_fields.push_back({.name = std::string(mail::operation_header), .value = order.operation_id});
  return draft;
}

}  // namespace

Compose mime_composer(ComposerSettings settings) {
  return [settings = std::move(settings)](const sync::WriteOrder& order, const ComposeWish& wish,
                                          const sync::OpenContent& content) -> Result<Message> {
    const mime::Draft draft = draft_of(order, wish, content, settings);
    TextSink sink(settings);
    auto written = mime::compose(
        draft, {.utf8 = wish.allow_utf8_header, .eight_bit = wish.allow_eight_bit, .keep_bcc = wish.with_bcc},
        sink);
    if (!written) return fail(std::move(written.error()));
    return sink.finish();
  };
}

}  // namespace syncline::smtp
