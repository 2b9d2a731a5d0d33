// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/codec/detail/id_feed.hpp"

#include <string>
#include <utility>

#include "ews/codec/detail/sax_frame.hpp"
#include "ews/xml/plain_reader.hpp"

namespace syncline::ews::codec {
namespace {

std::optional<ChangeKind> change_kind_of_name(std::string_view name) {
  if (name == "Create") return ChangeKind::create;
  if (name == "Update") return ChangeKind::update;
  if (name == "Delete") return ChangeKind::delete_;
  if (name == "ReadFlagChange") return ChangeKind::read_flag;
  return std::nullopt;
}

// Depths of the elements, the Envelope at 0.
enum Depth : unsigned { envelope, part, body_child, holder, message, member, change, in_change, in_item };

class IdFeed final : public xml::SaxHandler {
 public:
  Result<void> start_element(const xml::StartTag& tag) override {
    const auto depth = depth_++;
    text_.clear();
    if (in_header_) {
      if (depth == body_child && tag.space == types_space && tag.local == "ServerVersionInfo")
        response_.server = version_of(tag);
      return {};
    }
    return take(depth, tag) ? Result<void>() : give_up();
  }

  Result<void> end_element() override {
    const auto depth = --depth_;
    if (depth == part) in_header_ = false;
    if (in_header_) return {};
    if (depth == member) return end_member() ? Result<void>() : give_up();
    // A change must have named its item.
    if (depth == change && feed().changes.back().item_id.id.empty()) return give_up();
    if (depth == in_change && in_flag_) {
      in_flag_ = false;
      const auto read = FieldText<bool>::read(text_);
      if (!read) return give_up();
      feed().changes.back().is_read = *read;
    }
    return {};
  }

  Result<void> text(std::string_view piece) override {
    if (!in_header_ && (depth_ == member + 1 || in_flag_)) text_ += piece;
    return {};
  }

  std::optional<SyncFolderItemsResponse> take_response() {
    if (response_.messages.empty()) return std::nullopt;
    return std::move(response_);
  }

 private:
  static unexpected<Error> give_up() {
    return fail(ErrorDomain::xml, "not-an-id-feed", "the bindings have to read this");
  }

  ItemFeed& feed() { return response_.messages.back().value; }

  bool take(unsigned depth, const xml::StartTag& tag) {
    const auto is = [&](std::string_view space, std::string_view local) {
      return tag.space == space && tag.local == local;
    };
    switch (depth) {
      case envelope:
        return is_envelope(tag);
      case part:
        in_header_ = tag.local == "Header";
        return in_header_ || tag.local == "Body";
      case body_child:
        return is(messages_space, "SyncFolderItemsResponse");
      case holder:
        return is(messages_space, "ResponseMessages");
      case message: {
        const auto* response_class = tag.attribute("ResponseClass");
        if (!is(messages_space, "SyncFolderItemsResponseMessage") || response_class == nullptr ||
            *response_class != "Success")
          return false;
        auto& made = response_.messages.emplace_back();
        made.response_class = ResponseClass::success;
        made.code = "NoError";
        return true;
      }
      case member:
        member_ = std::string(tag.local);
        return tag.space == messages_space && (member_ == "ResponseCode" || member_ == "SyncState" ||
                                               member_ == "IncludesLastItemInRange" || member_ == "Changes");
      case change: {
        const auto kind = change_kind_of_name(tag.local);
        if (member_ != "Changes" || tag.space != types_space || !kind) return false;
        feed().changes.emplace_back().kind = *kind;
        has_kind_ = false;
        return true;
      }
      case in_change:
        return take_in_change(tag);
      case in_item: {
        const auto kind = feed().changes.back().kind;
        return (kind == ChangeKind::create || kind == ChangeKind::update) && is(types_space, "ItemId") &&
               take_id(tag);
      }
      default:
        return false;
    }
  }

  bool take_in_change(const xml::StartTag& tag) {
    auto& entry = feed().changes.back();
    if (tag.space != types_space) return false;
    if (entry.kind == ChangeKind::create || entry.kind == ChangeKind::update) {
      const auto kind = item_kind_of_name(tag.local);
      if (!kind || has_kind_) return false;
      has_kind_ = true;
      entry.item_kind = *kind;
      return true;
    }
    if (tag.local == "ItemId") return take_id(tag);
    in_flag_ = entry.kind == ChangeKind::read_flag && tag.local == "IsRead";
    return in_flag_;
  }

  bool take_id(const xml::StartTag& tag) {
    auto& id = feed().changes.back().item_id;
    const auto* value = tag.attribute("Id");
    if (value == nullptr || !id.id.empty()) return false;
    id.id = *value;
    if (const auto* key = tag.attribute("ChangeKey")) id.change_key = *key;
    return true;
  }

  bool end_member() {
    if (member_ == "ResponseCode") return text_ == "NoError";
    if (member_ == "SyncState") feed().sync_state = text_;
    if (member_ == "IncludesLastItemInRange")
      feed().includes_last_item_in_range = FieldText<bool>::read(text_);
    return true;
  }

  SyncFolderItemsResponse response_;
  std::string member_;
  std::string text_;
  unsigned depth_ = 0;
  bool in_header_ = false;
  bool in_flag_ = false;
  bool has_kind_ = false;
};

}  // namespace

std::optional<SyncFolderItemsResponse> read_id_feed(std::string_view xml) {
  IdFeed feed;
  if (!xml::read_plain(xml, feed)) return std::nullopt;
  return feed.take_response();
}

}  // namespace syncline::ews::codec
