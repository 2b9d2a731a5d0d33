// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/imap/driver/attachments.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "base/text.hpp"
#include "mime/encoded_word.hpp"
#include "mime/parameters.hpp"
#include "model/field_catalogue.hpp"
#include "routing/imap/tokens.hpp"

namespace syncline::imap {
namespace {

namespace json = boost::json;
using Parameters = std::vector<std::pair<std::string, std::string>>;

/// A parameter in any of RFC 2231's forms: written out again as a field, which src/mime reads.
std::string parameter(const Parameters& parameters, std::string_view name) {
  std::string field = "x";
  for (const auto& [key, value] : parameters) {
    if (!key.starts_with(name)) continue;
    field += "; " + key + "=";
    if (key.ends_with('*')) {
      field += value;
      continue;
    }
    field += '"';
    for (const char c : value) {
      if (c == '"' || c == '\\') field += '\\';
      field += c;
    }
    field += '"';
  }
  mime::Defects ignored;
  return mime::Parameters::parse(field).text(name, {}, ignored).value_or("");
}

/// Texts that are the body, and not beside it.
bool is_body(const BodyPart& part) {
  return part.type == "text" && (part.subtype == "plain" || part.subtype == "html") &&
         part.disposition != "attachment" && parameter(part.disposition_parameters, "filename").empty();
}

std::uint64_t decoded_octets(const BodyPart& part) {
  // Lines of 76 characters and their ends: 57 octets in 78.
  return part.encoding == "base64" ? part.octets * 57 / 78 : part.octets;
}

class OutputSink final : public mime::AttachmentSink {
 public:
  explicit OutputSink(LimitedOutput& output) : output_(output) {}
  Result<void> write(std::string_view octets) override {
    output_.write(octets);
    return {};
  }
  Result<void> close(const mime::Attachment&) override { return {}; }

 private:
  LimitedOutput& output_;
};

class NestedSink final : public mime::AttachmentSink {
 public:
  explicit NestedSink(mime::MessageReader& nested) : nested_(nested) {}
  Result<void> write(std::string_view octets) override { return nested_.feed(octets); }
  Result<void> close(const mime::Attachment&) override { return {}; }

 private:
  mime::MessageReader& nested_;
};

}  // namespace

json::value attachments_of(const BodyStructure& structure, const std::string& item_id) {
  json::array made;
  for (const BodyPart& part : structure.parts) {
    if (part.in_message || is_body(part) || made.size() >= model::field_elements_limit) continue;
    json::object object;
    object.emplace("id", item_id + attachment_border + "s" + part.section + ":" + part.encoding);
    std::string name = parameter(part.disposition_parameters, "filename");
    if (name.empty()) name = parameter(part.parameters, "name");
    if (!name.empty()) object.emplace("name", name);
    object.emplace("contentType", text::to_xml_text(part.type + "/" + part.subtype));
    object.emplace("size", static_cast<std::int64_t>(decoded_octets(part)));
    const bool has_id = !part.content_id.empty();
    object.emplace("isInline", has_id && part.in_related && part.disposition != "attachment");
    if (has_id) {
      std::string_view id = text::trim(part.content_id);
      if (id.starts_with('<')) id.remove_prefix(1);
      if (id.ends_with('>')) id.remove_suffix(1);
      object.emplace("contentId", text::to_xml_text(id));
    }
    made.emplace_back(std::move(object));
  }
  return made.empty() ? json::value() : json::value(std::move(made));
}

bool is_encrypted(const BodyStructure& structure) {
  return std::any_of(structure.parts.begin(), structure.parts.end(), [](const BodyPart& part) {
    return !part.in_message && part.type == "application" &&
           (part.subtype == "pkcs7-mime" || part.subtype == "x-pkcs7-mime" ||
            part.subtype == "pgp-encrypted" || part.subtype == "x-microsoft-rpmsg-message");
  });
}

std::string item_class_of(const BodyStructure& structure) {
  const auto has = [&](std::string_view type, std::string_view subtype) {
    return std::any_of(structure.parts.begin(), structure.parts.end(), [&](const BodyPart& part) {
      return !part.in_message && part.type == type && part.subtype == subtype;
    });
  };
  if (is_encrypted(structure)) return "IPM.Note.SMIME";
  if (has("application", "pkcs7-signature") || has("application", "x-pkcs7-signature"))
    return "IPM.Note.SMIME.MultipartSigned";
  if (has("message", "delivery-status")) return "REPORT.IPM.Note.NDR";
  if (has("message", "disposition-notification")) return "REPORT.IPM.Note.IPNRN";
  return "IPM.Note";
}

std::optional<AttachmentId> AttachmentId::parse(std::string_view text) {
  const std::size_t border = text.rfind(attachment_border);
  if (border == std::string_view::npos) return std::nullopt;
  AttachmentId id{.item = std::string(text.substr(0, border))};
  std::string_view part = text.substr(border + 1);
  if (!part.starts_with('s')) {
    const auto number = parse_number(part);
    if (!number || *number > 1'000'000) return std::nullopt;
    id.number = static_cast<std::size_t>(*number);
    return id;
  }
  part.remove_prefix(1);
  const std::size_t colon = part.find(':');
  if (colon == 0 || colon == std::string_view::npos) return std::nullopt;
  id.section = std::string(part.substr(0, colon));
  id.encoding = std::string(part.substr(colon + 1));
  // It goes into a command.
  if (id.section.find_first_not_of("0123456789.") != std::string::npos) return std::nullopt;
  return id;
}

void LimitedOutput::write(std::string_view octets) {
  octets_ += octets.size();
  if (failed_) return;
  if (octets_ > most_octets_) {
    failed_ = Error{.domain = ErrorDomain::mail,
                    .code = "too-large",
                    .message = "more than " + std::to_string(most_octets_) + " octets"};
    return;
  }
  auto written = sink_.write(std::as_bytes(std::span(octets.data(), octets.size())));
  if (!written) failed_ = std::move(written.error());
}

Result<void> LimitedOutput::outcome() const {
  if (failed_) return fail(*failed_);
  return {};
}

Result<void> SectionToOutput::on_literal_data(std::string_view data) {
  decoded_.clear();
  decoder_.feed(data, decoded_);
  output_.write(decoded_);
  return {};
}

Result<void> SectionToOutput::on_reply(Reply& reply) {
  const auto* fetch = std::get_if<FetchReply>(&reply);
  if (fetch == nullptr || fetch->sections.empty() || came_) return {};
  const FetchedSection& section = fetch->sections.front();
  if (!section.streamed && !section.value) return {};
  came_ = true;
  decoded_.clear();
  if (section.value) decoder_.feed(*section.value, decoded_);
  decoder_.finish(decoded_);
  output_.write(decoded_);
  return {};
}

Result<void> MessageToReader::on_reply(Reply& reply) {
  const auto* fetch = std::get_if<FetchReply>(&reply);
  if (fetch == nullptr || fetch->sections.empty() || came_) return {};
  const FetchedSection& section = fetch->sections.front();
  if (!section.streamed && !section.value) return {};
  came_ = true;
  if (section.value)
    if (auto fed = reader_.feed(*section.value); !fed) return fed;
  auto message = reader_.finish();
  if (!message) return fail(std::move(message.error()));
  message_ = std::move(*message);
  return {};
}

mime::ReadOptions only_attachment(std::size_t number, LimitedOutput& output) {
  mime::ReadOptions options;
  options.hash_octets = options.hash_attachments = false;
  auto next = std::make_shared<std::size_t>(0);
  options.open_sink = [next, number,
                       &output](const mime::Attachment&) -> Result<std::unique_ptr<mime::AttachmentSink>> {
    if ((*next)++ != number) return nullptr;
    return std::make_unique<OutputSink>(output);
  };
  return options;
}

mime::ReadOptions first_message(std::optional<mime::MessageReader>& nested,
                                std::optional<std::size_t>& number) {
  mime::ReadOptions options;
  options.hash_octets = options.hash_attachments = false;
  auto next = std::make_shared<std::size_t>(0);
  options.open_sink =
      [next, &nested,
       &number](const mime::Attachment& attachment) -> Result<std::unique_ptr<mime::AttachmentSink>> {
    const std::size_t place = (*next)++;
    if (number || attachment.kind != mime::AttachmentKind::message) return nullptr;
    number = place;
    mime::ReadOptions inner;
    inner.hash_octets = inner.hash_attachments = false;
    nested.emplace(std::move(inner));
    return std::make_unique<NestedSink>(*nested);
  };
  return options;
}

}  // namespace syncline::imap
