// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <map>
#include <string>

#include "vault/vault.hpp"

namespace syncline::vault {

/// Keeps what it is given, and can die after so many writes.
class MemoryStorage final : public SealedStorage {
 public:
  std::map<std::string, std::string> rows;
  int writes_left = -1;  ///< -1: as many as one likes

  Result<std::optional<std::string>> get(std::string_view name) override {
    const auto found = rows.find(std::string(name));
    if (found == rows.end()) return std::nullopt;
    return found->second;
  }
  Result<void> put(std::string_view name, std::string_view octets) override {
    if (writes_left == 0) return fail(ErrorDomain::local, "killed", "The process was killed");
    if (writes_left > 0) --writes_left;
    rows[std::string(name)] = std::string(octets);
    return {};
  }
  Result<void> remove(std::string_view name) override {
    rows.erase(std::string(name));
    return {};
  }
  Result<std::vector<std::string>> list(std::string_view prefix) override {
    std::vector<std::string> names;
    for (const auto& [name, octets] : rows) {
      if (name.starts_with(prefix)) names.push_back(name);
    }
    return names;
  }
};

}  // namespace syncline::vault
