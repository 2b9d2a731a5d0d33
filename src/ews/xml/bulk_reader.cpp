// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/xml/bulk_reader.hpp"

namespace syncline::ews::xml {
namespace {

void put_escaped(std::string& out, std::string_view text, bool in_attribute) {
  std::size_t done = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string_view entity;
    switch (text[i]) {
      case '&':
        entity = "&amp;";
        break;
      case '<':
        entity = "&lt;";
        break;
      case '>':
        entity = "&gt;";
        break;
      case '\r':
        entity = "&#13;";
        break;
      case '"':
        entity = in_attribute ? "&quot;" : "";
        break;
      case '\n':
        entity = in_attribute ? "&#10;" : "";
        break;
      case '\t':
        entity = in_attribute ? "&#9;" : "";
        break;
      default:
        break;
    }
    if (entity.empty()) continue;
    out.append(text.substr(done, i - done));
    out.append(entity);
    done = i + 1;
  }
  out.append(text.substr(done));
}

/// An undeclared prefix is left out: the result must be well-formed.
void put_name(std::string& out, std::string_view space, std::string_view prefix, std::string_view local) {
  if (!space.empty() && !prefix.empty()) {
    out.append(prefix);
    out += ':';
  }
  out.append(local);
}

}  // namespace

BulkReader::BulkReader(BulkLimits limits) : limits_(limits), sax_(*this, limits.xml) {}

Result<void> BulkReader::feed(std::string_view octets) {
  events_.clear();
  event_starts_.clear();
  decoded_.clear();
  auto fed = sax_.feed(octets);
  settle_events();
  return fed;
}

Result<void> BulkReader::finish() {
  events_.clear();
  event_starts_.clear();
  decoded_.clear();
  auto finished = sax_.finish();
  settle_events();
  return finished;
}

/// The views are made when decoded_ has stopped growing.
void BulkReader::settle_events() {
  for (std::size_t i = 0; i < events_.size(); ++i) {
    if (events_[i].kind != ContentEvent::Kind::octets) continue;
    const std::size_t end = i + 1 < events_.size() ? event_starts_[i + 1] : decoded_.size();
    events_[i].octets = std::string_view(decoded_).substr(event_starts_[i], end - event_starts_[i]);
  }
}

BulkReader::Role BulkReader::role_of(const StartTag& tag) {
  if (tag.local == "ResponseMessages") return Role::response_messages;
  const Role parent = open_.empty() ? Role::other : open_.back().role;
  if (parent == Role::response_messages) {
    ++messages_;
    entries_ = 0;
    return Role::message;
  }
  if (parent == Role::message && (tag.local == "Items" || tag.local == "Attachments")) return Role::list;
  if (parent == Role::list) {
    ++entries_;
    level_ = 0;
    in_entry_ = true;
  } else if (!in_entry_) {
    return Role::other;
  }
  if (tag.local == "ItemAttachment") return Role::attached_item;
  if (tag.local == "FileAttachment") return Role::file_attachment;
  return parent == Role::list ? Role::entry : Role::other;
}

bool BulkReader::is_content(const StartTag& tag, Role parent) const noexcept {
  if (!in_entry_ || parent == Role::list) return false;
  return tag.local == "MimeContent" || (tag.local == "Content" && parent == Role::file_attachment);
}

Result<void> BulkReader::start_element(const StartTag& tag) {
  if (in_content_) {
    ++content_depth_;
    fail_content(Error{ErrorDomain::xml, "bad-base64", "there is an element inside base64 text"});
    return {};
  }
  const Role parent = open_.empty() ? Role::other : open_.back().role;
  const Role role = role_of(tag);
  if (role == Role::attached_item) ++level_;
  const std::size_t name_start = names_.size();
  put_name(names_, tag.space, tag.prefix, tag.local);
  open_.push_back({static_cast<std::uint32_t>(names_.size() - name_start), role});
  put_tag(tag);
  if (envelope_.size() > limits_.envelope_octets) {
    return fail(ErrorDomain::xml, "too-large", "the response is too large even without its content");
  }
  if (is_content(tag, parent)) {
    begin_content(tag.local == "Content" ? ContentPlace::Kind::attachment : ContentPlace::Kind::mime);
  }
  return {};
}

void BulkReader::put_tag(const StartTag& tag) {
  envelope_ += '<';
  put_name(envelope_, tag.space, tag.prefix, tag.local);
  for (const NamespaceDeclaration& one : tag.declarations) {
    envelope_ += one.prefix.empty() ? " xmlns" : " xmlns:";
    envelope_ += one.prefix;
    envelope_ += "=\"";
    put_escaped(envelope_, one.space, true);
    envelope_ += '"';
  }
  for (const Attribute& one : tag.attributes) {
    envelope_ += ' ';
    put_name(envelope_, one.prefix == "xml" ? std::string_view("xml") : one.space, one.prefix, one.local);
    envelope_ += "=\"";
    put_escaped(envelope_, one.value, true);
    envelope_ += '"';
  }
  envelope_ += '>';
}

Result<void> BulkReader::end_element() {
  if (in_content_) {
    if (content_depth_ > 0) {
      --content_depth_;
      return {};
    }
    end_content();
  }
  const Open closed = open_.back();
  open_.pop_back();
  const std::size_t name_start = names_.size() - closed.name_octets;
  envelope_ += "</";
  envelope_.append(names_, name_start);
  envelope_ += '>';
  names_.resize(name_start);
  if (closed.role == Role::attached_item) --level_;
  if (!open_.empty() && open_.back().role == Role::list) in_entry_ = false;
  return {};
}

Result<void> BulkReader::text(std::string_view piece) {
  if (!in_content_) {
    put_escaped(envelope_, piece, false);
    if (envelope_.size() > limits_.envelope_octets) {
      return fail(ErrorDomain::xml, "too-large", "the response is too large even without its content");
    }
    return {};
  }
  if (content_failed_) return {};
  const std::size_t start = decoded_.size();
  auto decoded = decoder_.feed(piece, decoded_);
  const std::size_t length = decoded_.size() - start;
  content_size_ += length;
  const bool goes_on = !events_.empty() && events_.back().kind == ContentEvent::Kind::octets;
  if (length > 0 && !goes_on) {
    events_.push_back({ContentEvent::Kind::octets, place_, {}, 0, {}});
    event_starts_.push_back(start);
  }
  if (!decoded) {
    fail_content(std::move(decoded.error()));
  } else if (content_size_ > limits_.content_octets) {
    fail_content(Error{ErrorDomain::xml, "too-large",
                       "the content is longer than " + std::to_string(limits_.content_octets) + " octets"});
  }
  return {};
}

void BulkReader::begin_content(ContentPlace::Kind kind) {
  place_ = {kind, messages_ == 0 ? 0 : messages_ - 1, entries_ - 1, level_, contents_++};
  in_content_ = true;
  content_failed_ = false;
  content_depth_ = 0;
  content_size_ = 0;
  decoder_ = {};
  events_.push_back({ContentEvent::Kind::begin, place_, {}, 0, {}});
  event_starts_.push_back(decoded_.size());
}

void BulkReader::fail_content(Error error) {
  if (content_failed_) return;
  content_failed_ = true;
  error.retry = RetryClass::quarantine;
  events_.push_back({ContentEvent::Kind::failed, place_, {}, 0, std::move(error)});
  event_starts_.push_back(decoded_.size());
}

void BulkReader::end_content() {
  in_content_ = false;
  if (content_failed_) return;
  const std::size_t start = decoded_.size();
  if (auto finished = decoder_.finish(decoded_); !finished) {
    fail_content(std::move(finished.error()));
    return;
  }
  if (decoded_.size() > start) {
    content_size_ += decoded_.size() - start;
    events_.push_back({ContentEvent::Kind::octets, place_, {}, 0, {}});
    event_starts_.push_back(start);
  }
  events_.push_back({ContentEvent::Kind::end, place_, {}, content_size_, {}});
  event_starts_.push_back(decoded_.size());
}

}  // namespace syncline::ews::xml
