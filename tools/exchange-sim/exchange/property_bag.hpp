// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The properties of one item in one block of memory: a mailbox of 100,000 items must stay thin. Few
// properties, so looking one up is a walk.
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace exchange_sim {

using PropertyId = std::uint16_t;

class PropertyBag {
 public:
  std::optional<std::string_view> find(PropertyId id) const noexcept {
    for (std::size_t at = 0; at < block_.size();) {
      const Header h = header(at);
      if (h.id == id) return std::string_view(block_).substr(at + sizeof(Header), h.length);
      at += sizeof(Header) + h.length;
    }
    return std::nullopt;
  }
  bool has(PropertyId id) const noexcept { return find(id).has_value(); }
  /// Empty if unset.
  std::string_view get(PropertyId id) const noexcept { return find(id).value_or(std::string_view()); }

  void set(PropertyId id, std::string_view value) {
    const std::string copy(value);  // `value` may point into the block
    erase(id);
    const Header h{static_cast<std::uint32_t>(copy.size()), id};
    block_.append(reinterpret_cast<const char*>(&h), sizeof(Header));
    block_ += copy;
  }
  void erase(PropertyId id) {
    for (std::size_t at = 0; at < block_.size();) {
      const Header h = header(at);
      if (h.id == id) {
        block_.erase(at, sizeof(Header) + h.length);
        return;
      }
      at += sizeof(Header) + h.length;
    }
  }
  template <class F>
  void for_each(F&& visit) const {
    for (std::size_t at = 0; at < block_.size();) {
      const Header h = header(at);
      visit(h.id, std::string_view(block_).substr(at + sizeof(Header), h.length));
      at += sizeof(Header) + h.length;
    }
  }
  std::size_t bytes() const noexcept { return block_.size(); }
  void shrink() { block_.shrink_to_fit(); }
  bool empty() const noexcept { return block_.empty(); }

 private:
#pragma pack(push, 1)
  struct Header {
    std::uint32_t length;
    PropertyId id;
  };
#pragma pack(pop)
  Header header(std::size_t at) const noexcept {
    Header h;
    std::memcpy(&h, block_.data() + at, sizeof(Header));
    return h;
  }
  std::string block_;
};

}  // namespace exchange_sim
