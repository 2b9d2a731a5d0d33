// SPDX-License-Identifier: GPL-3.0-or-later
#include "mime/compose.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.hpp"
#include "mime/body_encoding.hpp"
#include "mime/digest.hpp"
#include "mime/header_writer.hpp"
#include "mime/message_ids.hpp"

namespace syncline::mime {
namespace {

constexpr std::size_t flush_octets = std::size_t{64} << 10;
/// A multiple of what one line of base64 holds.
constexpr std::size_t read_octets = std::size_t{57} * 1024;
constexpr std::size_t line_octets_limit = 998;
constexpr std::size_t name_octets_limit = 255;
constexpr std::size_t ending_octets_limit = 16;
constexpr std::size_t references_limit = 100;
constexpr std::size_t field_name_octets_limit = 76;

std::string valid(std::string_view text) {
  return text::is_valid_utf8(text) && text.find('\0') == std::string_view::npos ? std::string(text)
                                                                                : text::to_xml_text(text);
}

bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= 127 && std::all_of(text.begin(), text.end(), [](char c) {
    return c > 32 && c < 127 && std::string_view("()<>@,;:\\\"/[]?=").find(c) == std::string_view::npos;
  });
}
bool is_type(std::string_view text) {
  const std::size_t slash = text.find('/');
  return slash != std::string_view::npos && is_token(text.substr(0, slash)) &&
         is_token(text.substr(slash + 1));
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && text::equals_ignore_case(text.substr(0, prefix.size()), prefix);
}

/// At most 255 octets, the ending kept: receivers go by it.
std::string fitting_name(std::string_view given) {
  std::string name = header_text(given);
  if (name.size() <= name_octets_limit) return name;
  const std::size_t dot = name.rfind('.');
  const std::string ending =
      dot != std::string::npos && name.size() - dot <= ending_octets_limit ? name.substr(dot) : std::string();
  std::size_t end = name_octets_limit - ending.size();
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80U) --end;
  return name.substr(0, end) + ending;
}

/// What stands in the draft under its own name, or is ours to decide.
bool is_reserved(std::string_view name) {
  static constexpr std::string_view reserved[] = {
      "From",     "Sender",         "To",         "Cc",          "Bcc",          "Reply-To",   "Subject",
      "Date",     "Message-ID",     "References", "In-Reply-To", "MIME-Version", "Importance", "Sensitivity",
      "Keywords", "Auto-Submitted", "Received",   "Return-Path"};
  return starts_with_ignoring_case(name, "Content-") ||
         std::any_of(std::begin(reserved), std::end(reserved),
                     [&](std::string_view one) { return text::equals_ignore_case(one, name); });
}

Result<void> check_extra(const HeaderField& field) {
  const bool is_name =
      !field.name.empty() && field.name.size() <= field_name_octets_limit &&
      std::all_of(field.name.begin(), field.name.end(), [](char c) { return c > 32 && c < 127 && c != ':'; });
  if (!is_name || is_reserved(field.name))
    return fail(
        ErrorDomain::input, "bad-header-name",
        "no header field of one's own may be called " + text::escape_for_display(field.name.substr(0, 100)));
  if (field.value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
    return fail(ErrorDomain::input, "header-injection",
                "the value of " + field.name + " has a line end in it");
  return {};
}

Result<void> check_all(std::string_view field, const std::vector<Mailbox>& mailboxes, bool utf8) {
  for (const Mailbox& one : mailboxes)
    if (auto good = check_address(field, one, utf8); !good) return good;
  return {};
}

Result<void> check(const Draft& draft, const ComposeOptions& options) {
  if (draft.from.empty()) return fail(ErrorDomain::input, "missing-from", "a message needs a sender");
  if (!is_message_id(draft.message_id, options.utf8))
    return fail(ErrorDomain::input, "bad-message-id",
                "this is no Message-ID: " + text::escape_for_display(draft.message_id.substr(0, 100)));
  const std::pair<std::string_view, const std::vector<Mailbox>*> lists[] = {{"From", &draft.from},
                                                                            {"To", &draft.to},
                                                                            {"Cc", &draft.cc},
                                                                            {"Bcc", &draft.bcc},
                                                                            {"Reply-To", &draft.reply_to}};
  for (const auto& [field, mailboxes] : lists)
    if (auto good = check_all(field, *mailboxes, options.utf8); !good) return good;
  if (draft.sender)
    if (auto good = check_address("Sender", *draft.sender, options.utf8); !good) return good;
  for (const HeaderField& field : draft.extra_fields)
    if (auto good = check_extra(field); !good) return good;
  return {};
}

std::vector<std::string> good_ids(const std::vector<std::string>& ids, bool utf8) {
  std::vector<std::string> good;
  for (const std::string& id : ids)
    if (is_message_id(id, utf8)) good.push_back(id);
  if (good.size() > references_limit)
    good.erase(good.begin() + 1, good.end() - static_cast<std::ptrdiff_t>(references_limit - 1));
  return good;
}

/// What an attached message's octets are like: it may stand as it is or not at all (RFC 2046 section 5.2.1).
struct Transparency {
  bool is_plain = true;  ///< lines short enough, no NUL
  bool has_high = false;
  std::uint64_t octets = 0;  ///< with CRLF line ends
};

/// LF and CR line ends to CRLF, in pieces.
class CrlfStream {
 public:
  void feed(std::string_view octets, std::string& out) {
    for (const char c : octets) {
      if (c == '\n') {
        if (!cr_) out += "\r\n";
        cr_ = false;
        continue;
      }
      cr_ = c == '\r';
      if (cr_) {
        out += "\r\n";
      } else {
        out.push_back(c);
      }
    }
  }

 private:
  bool cr_ = false;
};

template <class Take>
Result<void> read_all(const DraftFile& file, Take take) {
  if (!file.open) return fail(ErrorDomain::local, "cannot-open", "an attachment has nothing to be read from");
  auto source = file.open();
  if (!source) return fail(std::move(source.error()));
  std::vector<char> buffer(read_octets);
  for (;;) {
    auto count = (*source)->read(buffer);
    if (!count) return fail(std::move(count.error()));
    if (*count == 0) return {};
    if (auto taken = take(std::string_view(buffer.data(), *count)); !taken) return taken;
  }
}

Result<Transparency> transparency_of(const DraftFile& file) {
  Transparency found;
  CrlfStream crlf;
  std::string piece;
  std::size_t line = 0;
  auto done = read_all(file, [&](std::string_view octets) -> Result<void> {
    piece.clear();
    crlf.feed(octets, piece);
    found.octets += piece.size();
    for (const char c : piece) {
      if (c == '\n') {
        line = 0;
        continue;
      }
      if (c != '\r' && ++line > line_octets_limit) found.is_plain = false;
      if (c == '\0') found.is_plain = false;
      if (static_cast<unsigned char>(c) >= 0x80) found.has_high = true;
    }
    return {};
  });
  if (!done) return fail(std::move(done.error()));
  return found;
}

class Writer {
 public:
  /// `sink` nullptr: only counts, and does not read files.
  Writer(const Draft& draft, const ComposeOptions& options, Sink* sink)
      : draft_(draft), options_(options), sink_(sink) {}

  Result<void> write() {
    put(header());
    const auto files = attachments();
    if (files.empty()) {
      if (auto done = body(); !done) return done;
    } else {
      const std::string boundary = begin_multipart("mixed", {});
      delimit(boundary);
      if (auto done = body(); !done) return done;
      for (const auto& [file, is_inline] : files) {
        delimit(boundary);
        if (auto done = attachment(*file, is_inline); !done) return done;
      }
      end_multipart(boundary);
    }
    return flush();
  }

  std::uint64_t octets() const noexcept { return octets_ + buffer_.size(); }

 private:
  std::string header() const {
    HeaderWriter header(options_.utf8);
    header.words("Date", date_words());
    header.addresses("From", draft_.from);
    if (draft_.sender) header.addresses("Sender", std::span(&*draft_.sender, 1));
    header.addresses("Reply-To", draft_.reply_to);
    header.addresses("To", draft_.to);
    header.addresses("Cc", draft_.cc);
    if (options_.keep_bcc) header.addresses("Bcc", draft_.bcc);
    // Some servers refuse a message that says no receiver.
    if (draft_.to.empty() && draft_.cc.empty()) {
      const std::string nobody[] = {"undisclosed-recipients:;"};
      header.words("To", nobody);
    }
    header.unstructured("Subject", draft_.subject);
    header.words("Message-ID", std::span(&draft_.message_id, 1));
    header.words("In-Reply-To", good_ids(draft_.in_reply_to, options_.utf8));
    header.words("References", good_ids(draft_.references, options_.utf8));
    if (draft_.importance != Importance::normal)
      header.unstructured("Importance", to_string(draft_.importance));
    if (draft_.sensitivity != Sensitivity::normal)
      header.unstructured("Sensitivity", draft_.sensitivity == Sensitivity::confidential
                                             ? "Company-Confidential"
                                             : to_string(draft_.sensitivity));
    if (!draft_.keywords.empty()) {
      std::string all;
      for (const std::string& word : draft_.keywords) all.append(all.empty() ? "" : ", ").append(word);
      header.unstructured("Keywords", all);
    }
    if (draft_.is_automatic) header.unstructured("Auto-Submitted", "auto-generated");
    for (const HeaderField& field : draft_.extra_fields) header.unstructured(field.name, field.value);
    header.unstructured("MIME-Version", "1.0");
    return header.octets();
  }

  std::vector<std::string> date_words() const {
    std::vector<std::string> words;
    const std::string date = format_date(draft_.date);
    for (const std::string_view word : text::split(date, ' ')) words.emplace_back(word);
    return words;
  }

  /// What stands beside the body, and whether it says inline.
  std::vector<std::pair<const DraftFile*, bool>> attachments() const {
    std::vector<std::pair<const DraftFile*, bool>> files;
    if (!draft_.html)
      for (const DraftFile& file : draft_.inline_files) files.emplace_back(&file, true);
    for (const DraftFile& file : draft_.attachments) files.emplace_back(&file, false);
    return files;
  }

  Result<void> body() {
    if (draft_.text && draft_.html) {
      const std::string boundary = begin_multipart("alternative", {});
      delimit(boundary);
      text_part("text/plain", *draft_.text);
      delimit(boundary);
      if (auto done = html(); !done) return done;
      end_multipart(boundary);
      return {};
    }
    if (draft_.html) return html();
    text_part("text/plain", draft_.text.value_or(std::string()));
    return {};
  }

  Result<void> html() {
    if (draft_.inline_files.empty()) {
      text_part("text/html", *draft_.html);
      return {};
    }
    const std::string boundary = begin_multipart("related", "text/html");
    delimit(boundary);
    text_part("text/html", *draft_.html);
    for (const DraftFile& file : draft_.inline_files) {
      delimit(boundary);
      if (auto done = attachment(file, true); !done) return done;
    }
    end_multipart(boundary);
    return {};
  }

  /// "=_" comes in no line of base64 and quoted-printable; the rest makes it differ from those of other
  /// messages, and from try to try it is the same.
  std::string begin_multipart(std::string_view subtype, std::string_view type) {
    Sha256 digest;
    digest.update(draft_.message_id);
    digest.update(" ");
    digest.update(subtype);
    const std::string boundary = "=_" + digest.finish().substr(0, 32);
    std::vector<std::pair<std::string, std::string>> parameters{{"boundary", boundary}};
    if (!type.empty()) parameters.emplace_back("type", type);
    HeaderWriter header(false);
    header.with_parameters("Content-Type", "multipart/" + std::string(subtype), parameters);
    header.end();
    put(header.octets());
    ++open_multiparts_;
    return boundary;
  }
  void delimit(const std::string& boundary) {
    put("\r\n--");
    put(boundary);
    put("\r\n");
  }
  void end_multipart(const std::string& boundary) {
    put("\r\n--");
    put(boundary);
    put("--\r\n");
    --open_multiparts_;
  }

  void text_part(std::string_view type, std::string_view given) {
    std::string text = with_crlf(valid(given));
    // Alone it has to end with a line; in a multipart the delimiter brings its own line end.
    if (open_multiparts_ == 0 && !text.empty() && !text.ends_with("\r\n")) text += "\r\n";
    const BodyEncoding encoding = choose_encoding(text, options_.eight_bit);
    const bool is_ascii =
        std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    HeaderWriter header(false);
    const std::pair<std::string, std::string> charset[] = {{"charset", is_ascii ? "us-ascii" : "utf-8"}};
    header.with_parameters("Content-Type", type, charset);
    header.unstructured("Content-Transfer-Encoding", to_string(encoding));
    header.end();
    put(header.octets());
    if (encoding == BodyEncoding::quoted_printable) {
      put(quoted_printable(text));
    } else if (encoding == BodyEncoding::base64) {
      Base64Lines lines;
      std::string encoded;
      lines.feed(text, encoded);
      lines.finish(encoded);
      put(encoded);
    } else {
      put(text);
    }
  }

  Result<void> attachment(const DraftFile& file, bool is_inline) {
    std::string type = is_type(file.type) ? text::to_lower_ascii(file.type) : "application/octet-stream";
    std::string name = fitting_name(file.name);
    std::optional<Transparency> as_it_is;
    if (type == "message/rfc822") {
      auto found = transparency_of(file);
      if (!found) return fail(std::move(found.error()));
      if (found->is_plain && (!found->has_high || options_.eight_bit)) as_it_is = *found;
      if (!as_it_is && !text::to_lower_ascii(name).ends_with(".eml"))
        name += name.empty() ? "message.eml" : ".eml";
    }
    // Neither a multipart nor another message type may be in base64.
    if (!as_it_is && (type.starts_with("multipart/") || type.starts_with("message/")))
      type = "application/octet-stream";

    HeaderWriter header(false);
    header.with_parameters("Content-Type", type, {});
    header.unstructured("Content-Transfer-Encoding", !as_it_is            ? "base64"
                                                     : as_it_is->has_high ? "8bit"
                                                                          : "7bit");
    std::vector<std::pair<std::string, std::string>> parameters;
    if (!name.empty()) parameters.emplace_back("filename", name);
    header.with_parameters("Content-Disposition", is_inline ? "inline" : "attachment", parameters);
    const std::string id = '<' + file.content_id + '>';
    if (!file.content_id.empty() && is_message_id(id, false)) header.words("Content-ID", std::span(&id, 1));
    header.end();
    put(header.octets());
    return as_it_is ? octets_as_they_are(file, *as_it_is) : octets_in_base64(file);
  }

  Result<void> octets_as_they_are(const DraftFile& file, const Transparency& expected) {
    if (sink_ == nullptr) {
      octets_ += expected.octets;
      return {};
    }
    CrlfStream crlf;
    std::string piece;
    std::uint64_t written = 0;
    auto done = read_all(file, [&](std::string_view octets) -> Result<void> {
      piece.clear();
      crlf.feed(octets, piece);
      written += piece.size();
      put(piece);
      return flush_if_full();
    });
    if (done && written != expected.octets) return changed();
    return done;
  }

  Result<void> octets_in_base64(const DraftFile& file) {
    if (!file.open)
      return fail(ErrorDomain::local, "cannot-open", "an attachment has nothing to be read from");
    auto source = file.open();
    if (!source) return fail(std::move(source.error()));
    const std::uint64_t size = (*source)->size();
    if (sink_ == nullptr) {
      octets_ += Base64Lines::encoded_size(size);
      return {};
    }
    Base64Lines lines;
    std::vector<char> buffer(read_octets);
    std::uint64_t read = 0;
    for (;;) {
      auto count = (*source)->read(buffer);
      if (!count) return fail(std::move(count.error()));
      if (*count == 0) break;
      read += *count;
      // The server was told a size: not one octet more.
      if (read > size) return changed();
      lines.feed({buffer.data(), *count}, buffer_);
      if (auto done = flush_if_full(); !done) return done;
    }
    if (read != size) return changed();
    lines.finish(buffer_);
    return {};
  }

  static unexpected<Error> changed() {
    return fail(ErrorDomain::local, "source-changed", "an attachment is not as long as it said");
  }

  void put(std::string_view octets) {
    if (sink_ == nullptr) {
      octets_ += octets.size();
    } else {
      buffer_.append(octets);
    }
  }
  Result<void> flush_if_full() {
    if (buffer_.size() < flush_octets) return {};
    return flush();
  }
  Result<void> flush() {
    if (sink_ == nullptr || buffer_.empty()) return {};
    octets_ += buffer_.size();
    auto written = sink_->write(buffer_);
    buffer_.clear();
    return written;
  }

  const Draft& draft_;
  const ComposeOptions& options_;
  Sink* sink_;
  std::string buffer_ = {};
  std::uint64_t octets_ = 0;
  int open_multiparts_ = 0;
};

}  // namespace

Result<void> compose(const Draft& draft, const ComposeOptions& options, Sink& sink) {
  if (auto good = check(draft, options); !good) return good;
  return Writer(draft, options, &sink).write();
}

Result<std::uint64_t> composed_size(const Draft& draft, const ComposeOptions& options) {
  if (auto good = check(draft, options); !good) return fail(std::move(good.error()));
  Writer writer(draft, options, nullptr);
  if (auto done = writer.write(); !done) return fail(std::move(done.error()));
  return writer.octets();
}

bool needs_utf8(const Mailbox& mailbox) noexcept {
  const std::string_view local = std::string_view(mailbox.address).substr(0, mailbox.address.rfind('@'));
  return std::any_of(local.begin(), local.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

std::string new_message_id(Random& random, std::string_view domain) {
  const bool is_domain =
      !domain.empty() && domain.size() <= 255 && std::all_of(domain.begin(), domain.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
               c == '-';
      });
  return '<' + random.uuid() + '@' + (is_domain ? std::string(domain) : "localhost") + '>';
}

}  // namespace syncline::mime
