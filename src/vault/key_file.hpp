// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Where the master key is kept: a systemd credential, a descriptor that the caller opened, or a file of mode
// 0600. Never in the organisation's folder unless somebody asked for it (invariant 23).
#include <cstdint>
#include <optional>
#include <string>

#include "vault/master_key.hpp"

namespace syncline::vault {

struct KeyPlace {
  enum class Kind : std::uint8_t { file, descriptor, credential };
  Kind kind = Kind::file;
  std::string path = {};  ///< of a file or credential
  int descriptor = -1;

  /// For people: "the file /etc/syncline/x.key", "descriptor 5".
  std::string describe() const;
};

/// What a process says about itself, so that tests can say something else.
struct KeySurroundings {
  std::optional<std::string> credentials_directory;  ///< $CREDENTIALS_DIRECTORY, systemd.exec(5)
  std::optional<std::string> config_home;            ///< $XDG_CONFIG_HOME
  std::optional<std::string> home;                   ///< $HOME
  bool root = false;

  static KeySurroundings of_this_process();
};

struct KeyWish {
  std::string option = {};          ///< --key: a file, or "fd:N"; empty: not given
  bool beside_data = false;         ///< --key-beside-data
  std::string organisation_folder;  ///< its last part is NAME
};

/// --key; else beside the data where that was chosen; else $CREDENTIALS_DIRECTORY/syncline.key if it is
/// there; else NAME.key in $XDG_CONFIG_HOME/syncline (~/.config/syncline), of root in /etc/syncline. Error
/// (domain input): "bad-key-option" for an unreadable "fd:N".
Result<KeyPlace> find_key_place(const KeyWish& wish, const KeySurroundings& surroundings);

/// Errors (domain local): "no-key" when there is none; "key-readable-by-others" for a file that its group or
/// others may read, or that belongs to somebody else; "bad-key"; "io".
Result<MasterKeys> read_keys(const KeyPlace& place);

/// Writes the file anew with mode 0600: temporary name, fsync, rename, fsync of the folder. Folders are made
/// with mode 0700. Errors (domain local): "key-not-writable" for other places than files, "io".
Result<void> write_keys(const KeyPlace& place, const MasterKeys& keys);

}  // namespace syncline::vault
