// SPDX-License-Identifier: GPL-3.0-or-later
#include "mime/reader.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.hpp"
#include "mime/charset.hpp"
#include "mime/delivery_report.hpp"
#include "mime/digest.hpp"
#include "mime/encoded_word.hpp"
#include "mime/header_values.hpp"
#include "mime/message_ids.hpp"
#include "mime/parameters.hpp"
#include "mime/part_scanner.hpp"
#include "mime/transfer_decoding.hpp"

namespace syncline::mime {
namespace {

constexpr std::size_t read_octets = std::size_t{64} << 10;

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

/// "type/subtype" of tokens (RFC 2045 section 5.1).
bool is_type(std::string_view text) {
  const std::size_t slash = text.find('/');
  return text.size() <= 255 && slash != std::string_view::npos && slash > 0 && slash + 1 < text.size() &&
         std::count(text.begin(), text.end(), '/') == 1 && std::all_of(text.begin(), text.end(), [](char c) {
           return c > 32 && c < 127 && std::string_view("()<>@,;:\\\"[]?=").find(c) == std::string_view::npos;
         });
}

/// What a part's header says about its content.
struct PartHeader {
  std::string type = "text/plain";
  Parameters type_parameters = {};
  Parameters disposition = {};
  std::string content_id = {};
  std::string name = {};
  TransferEncoding encoding = TransferEncoding::identity;

  bool is_multipart() const { return type.starts_with("multipart/"); }
  bool is_attachment() const {
    // What RFC 2183 does not know is to be taken for an attachment.
    return !disposition.value().empty() && disposition.value() != "inline";
  }
  bool is_inline() const { return disposition.value() == "inline"; }
};

std::string cut_name(std::string name, std::size_t limit, Defects& defects) {
  if (name.size() <= limit) return name;
  defects.add(Defect::name_cut);
  std::size_t end = limit;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80U) --end;
  name.resize(end);
  return name;
}

PartHeader read_part_header(const HeaderBlock& header, bool in_digest, const Limits& limits,
                            Defects& defects) {
  PartHeader part;
  if (in_digest) part.type = "message/rfc822";
  if (const std::string* field = header.find("Content-Disposition"))
    part.disposition = Parameters::parse(*field);
  if (const std::string* field = header.find("Content-Type")) {
    part.type_parameters = Parameters::parse(*field);
    const std::string& said = part.type_parameters.value();
    if (is_type(said)) {
      part.type = said;
    } else {
      defects.add(Defect::bad_content_type);
      if (said != "text" && said != "text/" && part.is_attachment()) part.type = "application/octet-stream";
    }
  }
  auto name = part.disposition.text("filename", {}, defects);
  if (!name || name->empty()) name = part.type_parameters.text("name", {}, defects);
  part.name = cut_name(std::move(name).value_or(std::string()), limits.name_octets, defects);
  if (const std::string* field = header.find("Content-ID")) {
    std::string id = printable(text::to_xml_text(*field));
    if (id.size() >= 2 && id.front() == '<' && id.back() == '>') id = id.substr(1, id.size() - 2);
    part.content_id = cut_name(std::move(id), limits.name_octets, defects);
  }
  if (const std::string* field = header.find("Content-Transfer-Encoding")) {
    const auto encoding = parse_transfer_encoding(*field);
    if (!encoding) defects.add(Defect::unknown_encoding);
    part.encoding = encoding.value_or(TransferEncoding::identity);
  }
  return part;
}

AttachmentKind kind_of(const PartHeader& part) {
  const std::string& type = part.type;
  if (is_one_of(type, {"message/rfc822", "message/global", "message/news"})) return AttachmentKind::message;
  if (is_one_of(type, {"text/calendar", "application/ics"})) return AttachmentKind::calendar;
  if (is_one_of(type, {"application/ms-tnef", "application/vnd.ms-tnef"}) ||
      text::equals_ignore_case(part.name, "winmail.dat"))
    return AttachmentKind::tnef;
  if (is_one_of(type, {"application/pkcs7-signature", "application/x-pkcs7-signature",
                       "application/pgp-signature"}))
    return AttachmentKind::signature;
  if (is_one_of(type, {"application/pkcs7-mime", "application/x-pkcs7-mime"})) {
    const std::string smime =
        text::to_lower_ascii(part.type_parameters.octets("smime-type").value_or(std::string()));
    return smime == "certs-only" ? AttachmentKind::file : AttachmentKind::encrypted;
  }
  if (is_one_of(type, {"application/pgp-encrypted", "application/x-microsoft-rpmsg-message"}))
    return AttachmentKind::encrypted;
  if (is_one_of(type, {"message/delivery-status", "message/global-delivery-status",
                       "message/disposition-notification", "message/global-disposition-notification"}))
    return AttachmentKind::delivery_report;
  if (is_one_of(type, {"text/rfc822-headers", "message/rfc822-headers", "message/global-headers"}))
    return AttachmentKind::headers;
  return AttachmentKind::file;
}

/// An unfinished UTF-8 sequence at the end, where a limit cut it.
void drop_unfinished_character(std::string& octets) {
  std::size_t back = 0;
  while (back < 3 && back < octets.size() &&
         (static_cast<unsigned char>(octets[octets.size() - 1 - back]) & 0xC0U) == 0x80U)
    ++back;
  if (back < octets.size() && static_cast<unsigned char>(octets[octets.size() - 1 - back]) >= 0xC0 &&
      !text::next_code_point(std::string_view(octets).substr(octets.size() - 1 - back)))
    octets.resize(octets.size() - 1 - back);
}

/// LF line ends, no NUL.
std::string tidy_text(std::string_view text, Defects& defects) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = std::min(text.find('\r', i), text.size());
    out.append(text.substr(i, end - i));
    if (end == text.size()) break;
    out.push_back('\n');
    i = end + 1;
    if (i < text.size() && text[i] == '\n') ++i;
  }
  if (out.find('\0') == std::string::npos) return out;
  defects.add(Defect::nul_octets);
  std::string without;
  for (const char c : out) {
    if (c == '\0') {
      without.append("\xEF\xBF\xBD");
    } else {
      without.push_back(c);
    }
  }
  return without;
}

/// How much of a text is at most `limit` octets, also after its control characters became U+FFFD, which
/// records make of them.
std::size_t fitting_octets(std::string_view text, std::size_t limit) {
  if (text.size() <= limit / 3) return text.size();
  std::size_t octets = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    octets += octet < 0x20 && octet != '\t' && octet != '\n' ? 3 : 1;
    if (octets > limit) return i;
  }
  return text.size();
}

/// "METHOD:REQUEST" of a calendar whose part does not say it.
std::string method_of_calendar(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text::trim(text.substr(0, end));
    if (line.size() > 7 && text::equals_ignore_case(line.substr(0, 7), "METHOD:"))
      return std::string(line.substr(7));
    if (text::equals_ignore_case(line, "BEGIN:VEVENT")) return {};
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return {};
}

std::string to_upper_ascii(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

}  // namespace

class MessageReader::Reading final : public PartEvents {
 public:
  explicit Reading(ReadOptions options) : options_(std::move(options)), scanner_(options_.limits, *this) {}

  Result<void> feed(std::string_view octets) {
    if (options_.hash_octets) digest_.update(octets);
    return scanner_.feed(octets);
  }

  Result<Message> finish() {
    if (auto done = scanner_.finish(); !done) return fail(std::move(done.error()));
    message_.defects.add(scanner_.defects());
    if (options_.hash_octets) message_.sha256 = digest_.finish();
    read_header_values(root_, charset_hint_, options_.limits, message_);
    message_.headers = root_.take_fields();
    if (message_.report) message_.is_automatic = true;
    return std::move(message_);
  }

  Result<PartPlan> on_header(HeaderBlock&& header) override {
    const bool is_root = !has_root_;
    const bool in_digest = !levels_.empty() && levels_.back().subtype == "digest";
    PartHeader part = read_part_header(header, in_digest, options_.limits, message_.defects);
    if (is_root) {
      has_root_ = true;
      root_ = std::move(header);
    }
    if (part.is_multipart()) {
      auto plan = begin_multipart(part);
      if (plan.boundary) return plan;
    }
    return begin_leaf(part, is_root);
  }

  Result<void> on_content(std::string_view octets) override {
    if (leaf_.role != Role::attachment) {
      take_body(octets);
      return {};
    }
    if (!options_.decode_attachments && !leaf_.captures) return {};
    if (leaf_.encoding == TransferEncoding::identity) return take_attachment(octets);
    scratch_.clear();
    leaf_.decoder.feed(octets, scratch_);
    return take_attachment(scratch_);
  }

  Result<void> on_leaf_end() override {
    scratch_.clear();
    leaf_.decoder.finish(scratch_);
    if (leaf_.role == Role::attachment) {
      if (auto taken = take_attachment(scratch_); !taken) return taken;
      if (options_.decode_attachments || leaf_.captures) message_.defects.add(leaf_.decoder.defects());
      return end_attachment();
    }
    append_body(scratch_);
    message_.defects.add(leaf_.decoder.defects());
    end_body();
    return {};
  }

  Result<void> on_multipart_end() override {
    levels_.pop_back();
    return {};
  }

 private:
  enum class Role : std::uint8_t { text, html, attachment };
  struct Level {
    std::string subtype;
  };
  struct Leaf {
    Role role = Role::attachment;
    Attachment attachment = {};
    TransferEncoding encoding = TransferEncoding::identity;
    TransferDecoder decoder{TransferEncoding::identity};
    std::string charset = {};
    std::string method = {};
    std::string kept = {};  ///< of a body, or captured of an attachment
    bool captures = false;
    bool is_cut = false;
    std::unique_ptr<AttachmentSink> sink = nullptr;
  };

  PartPlan begin_multipart(PartHeader& part) {
    const std::string subtype = part.type.substr(std::string_view("multipart/").size());
    if (levels_.size() == options_.limits.depth) {
      // Not followed any more: one attachment of that type.
      message_.defects.add(Defect::too_deep);
      return {};
    }
    std::string boundary = part.type_parameters.octets("boundary").value_or(std::string());
    while (!boundary.empty() && (boundary.back() == ' ' || boundary.back() == '\t')) boundary.pop_back();
    if (boundary.empty()) {
      message_.defects.add(Defect::missing_boundary);
      part.type = "text/plain";
      return {};
    }
    if (subtype == "signed" && message_.protection == Protection::none)
      message_.protection = Protection::signed_clear;
    if (subtype == "encrypted") message_.protection = Protection::encrypted;
    if (subtype == "report") {
      if (!message_.report) message_.report.emplace();
      if (message_.report->type.empty())
        message_.report->type = text::to_lower_ascii(
            part.type_parameters.text("report-type", {}, message_.defects).value_or(std::string()));
    }
    levels_.push_back({subtype});
    return {.boundary = std::move(boundary)};
  }

  Result<PartPlan> begin_leaf(PartHeader& part, bool is_root) {
    leaf_ = Leaf();
    leaf_.encoding = part.encoding;
    leaf_.decoder = TransferDecoder(part.encoding);
    leaf_.charset = part.type_parameters.octets("charset").value_or(std::string());
    leaf_.charset = leaf_.charset.substr(0, leaf_.charset.find_first_of(" \t;("));
    // A text with a file's name is an attachment, also where it says inline (Apple Mail), unless it is all
    // there is.
    const bool may_be_body = is_root || (!part.is_attachment() && part.name.empty());
    if (may_be_body && part.type == "text/plain" && !has_text_) {
      has_text_ = true;
      leaf_.role = Role::text;
      return PartPlan();
    }
    if (may_be_body && part.type == "text/html" && !has_html_) {
      has_html_ = true;
      leaf_.role = Role::html;
      return PartPlan();
    }
    return begin_attachment(part);
  }

  Result<PartPlan> begin_attachment(PartHeader& part) {
    leaf_.role = Role::attachment;
    Attachment& attachment = leaf_.attachment;
    attachment.kind = kind_of(part);
    attachment.name = std::move(part.name);
    attachment.type = std::move(part.type);
    attachment.content_id = std::move(part.content_id);
    const bool in_related = !levels_.empty() && levels_.back().subtype == "related";
    attachment.is_inline =
        part.is_inline() || (!part.is_attachment() && in_related && !attachment.content_id.empty());
    const bool in_encrypted = !levels_.empty() && levels_.back().subtype == "encrypted";
    if (in_encrypted) attachment.kind = AttachmentKind::encrypted;
    if (attachment.kind == AttachmentKind::encrypted && !in_encrypted) note_protection(attachment, part);

    switch (attachment.kind) {
      case AttachmentKind::calendar:
        leaf_.captures = !message_.calendar;
        leaf_.method = part.type_parameters.octets("method").value_or(std::string());
        break;
      case AttachmentKind::delivery_report:
      case AttachmentKind::message:
      case AttachmentKind::headers:
        leaf_.captures = true;
        break;
      default:
        break;
    }
    if (options_.decode_attachments && options_.open_sink) {
      auto sink = options_.open_sink(attachment);
      if (!sink) return fail(std::move(sink.error()));
      leaf_.sink = *std::move(sink);
    }
    return PartPlan();
  }

  void note_protection(const Attachment& attachment, const PartHeader& part) {
    if (attachment.type == "application/x-microsoft-rpmsg-message") {
      message_.protection = Protection::rights_managed;
      return;
    }
    // Beside a body it is a file that somebody attached.
    if (has_text_ || has_html_) return;
    const std::string smime =
        text::to_lower_ascii(part.type_parameters.octets("smime-type").value_or(std::string()));
    const bool is_signed = smime == "signed-data" || smime == "signed-receipt" ||
                           (smime.empty() && text::to_lower_ascii(attachment.name).ends_with(".p7s"));
    message_.protection = is_signed ? Protection::signed_opaque : Protection::encrypted;
  }

  void take_body(std::string_view octets) {
    if (leaf_.is_cut) return;
    if (leaf_.encoding == TransferEncoding::identity) return append_body(octets);
    scratch_.clear();
    leaf_.decoder.feed(octets, scratch_);
    append_body(scratch_);
  }

  void append_body(std::string_view octets) {
    const std::size_t room = options_.limits.text_octets - leaf_.kept.size();
    if (octets.size() > room) leaf_.is_cut = true;
    leaf_.kept.append(octets.substr(0, room));
  }

  void end_body() {
    BodyText body;
    body.charset = text::to_xml_text(leaf_.charset);
    std::string label = leaf_.charset;
    if (label.empty() && leaf_.role == Role::html) label = charset_of_html(leaf_.kept);
    if (leaf_.is_cut) drop_unfinished_character(leaf_.kept);
    const DecodedText decoded = to_utf8(leaf_.kept, label, charset_hint_);
    // A charset that does not exist would be looked for again with each text that has to be guessed.
    if (charset_hint_.empty() && !decoded.defects.has(Defect::unknown_charset)) charset_hint_ = label;
    // A character that the limit cut is no fault of the sender's.
    if (!leaf_.is_cut) message_.defects.add(decoded.defects);
    body.value = tidy_text(decoded.utf8, message_.defects);
    if (const std::size_t end = fitting_octets(body.value, options_.limits.text_octets);
        end < body.value.size()) {
      leaf_.is_cut = true;
      body.value.resize(end);
      drop_unfinished_character(body.value);
    }
    body.is_cut = leaf_.is_cut;
    if (body.is_cut) message_.defects.add(Defect::body_cut);
    (leaf_.role == Role::text ? message_.text : message_.html) = std::move(body);
  }

  Result<void> take_attachment(std::string_view octets) {
    if (octets.empty()) return {};
    if (leaf_.captures && !leaf_.is_cut) {
      const std::size_t room = options_.limits.captured_octets - leaf_.kept.size();
      leaf_.is_cut = octets.size() > room;
      leaf_.kept.append(octets.substr(0, room));
    }
    if (!options_.decode_attachments) return {};
    leaf_.attachment.size += octets.size();
    if (options_.hash_attachments) part_digest_.update(octets);
    if (leaf_.sink) return leaf_.sink->write(octets);
    return {};
  }

  Result<void> end_attachment() {
    Attachment& attachment = leaf_.attachment;
    if (options_.decode_attachments && options_.hash_attachments) attachment.sha256 = part_digest_.finish();
    if (leaf_.captures) read_captured();
    if (leaf_.sink) {
      if (auto closed = leaf_.sink->close(attachment); !closed) return closed;
      leaf_.sink.reset();
    }
    message_.attachments.push_back(std::move(attachment));
    return {};
  }

  void read_captured() {
    Attachment& attachment = leaf_.attachment;
    const bool in_report = !levels_.empty() && levels_.back().subtype == "report";
    switch (attachment.kind) {
      case AttachmentKind::calendar: {
        if (leaf_.is_cut) drop_unfinished_character(leaf_.kept);
        CalendarPart calendar;
        // RFC 5545 section 3.1.4: UTF-8 unless the part says otherwise.
        calendar.text = tidy_text(to_utf8(leaf_.kept, leaf_.charset.empty() ? "utf-8" : leaf_.charset).utf8,
                                  message_.defects);
        calendar.method = to_upper_ascii(printable(
            text::to_xml_text(leaf_.method.empty() ? method_of_calendar(calendar.text) : leaf_.method)));
        calendar.is_cut = leaf_.is_cut;
        message_.calendar = std::move(calendar);
        return;
      }
      case AttachmentKind::delivery_report:
        if (!message_.report) message_.report.emplace();
        if (message_.report->type.empty())
          message_.report->type = attachment.type.ends_with("disposition-notification")
                                      ? "disposition-notification"
                                      : "delivery-status";
        read_report_fields(leaf_.kept, options_.limits, *message_.report);
        return;
      case AttachmentKind::message:
      case AttachmentKind::headers: {
        const HeaderBlock inner = read_header(leaf_.kept, options_.limits);
        if (const std::string* subject = inner.find("Subject");
            subject != nullptr && attachment.name.empty()) {
          attachment.name =
              cut_name(decode_unstructured(*subject).text, options_.limits.name_octets, message_.defects);
        }
        if (const std::string* id = inner.find("Message-ID");
            id != nullptr && in_report && message_.report && message_.report->original_message_id.empty())
          message_.report->original_message_id = read_message_id(*id).id.value_or(std::string());
        return;
      }
      default:
        return;
    }
  }

  ReadOptions options_;
  PartScanner scanner_;
  Message message_ = {};
  HeaderBlock root_;
  bool has_root_ = false;
  bool has_text_ = false;
  bool has_html_ = false;
  std::vector<Level> levels_ = {};
  Leaf leaf_ = {};
  std::string scratch_ = {};
  std::string charset_hint_ = {};
  Sha256 digest_ = {};
  Sha256 part_digest_ = {};
};

MessageReader::MessageReader(ReadOptions options) : reading_(std::make_unique<Reading>(std::move(options))) {}
MessageReader::~MessageReader() = default;
MessageReader::MessageReader(MessageReader&&) noexcept = default;
MessageReader& MessageReader::operator=(MessageReader&&) noexcept = default;

Result<void> MessageReader::feed(std::string_view octets) {
  return reading_->feed(octets);
}
Result<Message> MessageReader::finish() {
  return reading_->finish();
}

Result<Message> read_message(Source& source, ReadOptions options) {
  MessageReader reader(std::move(options));
  std::vector<char> buffer(read_octets);
  for (;;) {
    auto count = source.read(buffer);
    if (!count) return fail(std::move(count.error()));
    if (*count == 0) return reader.finish();
    if (auto fed = reader.feed({buffer.data(), *count}); !fed) return fail(std::move(fed.error()));
  }
}

Result<Message> read_message(std::string_view octets, ReadOptions options) {
  MessageReader reader(std::move(options));
  if (auto fed = reader.feed(octets); !fed) return fail(std::move(fed.error()));
  return reader.finish();
}

}  // namespace syncline::mime
