// SPDX-License-Identifier: GPL-3.0-or-later
#include "vault/key_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/text.hpp"

namespace syncline::vault {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t key_file_limit_octets = 4096;

class Descriptor {
 public:
  explicit Descriptor(int value) noexcept : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const noexcept { return value_; }

 private:
  int value_;
};

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

unexpected<Error> io_error(const std::string& doing, const std::string& path, int number) {
  return fail(ErrorDomain::local, "io", fmt::format("{} {} failed: {}", doing, path, std::strerror(number)));
}

Result<Secret> read_all(int descriptor, const std::string& name) {
  std::string text(key_file_limit_octets + 1, '\0');
  std::size_t length = 0;
  while (length < text.size()) {
    const ssize_t count = ::read(descriptor, text.data() + length, text.size() - length);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const int number = errno;
      wipe(text);
      return io_error("Reading the key from", name, number);
    }
    if (count == 0) break;
    length += static_cast<std::size_t>(count);
  }
  if (length > key_file_limit_octets) {
    wipe(text);
    return fail(ErrorDomain::local, "bad-key", fmt::format("The key is not usable: {} is too large", name));
  }
  Secret secret(std::string_view(text).substr(0, length));
  wipe(text);
  return secret;
}

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(descriptor, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

Result<void> check_privacy(int descriptor, const std::string& path) {
  struct stat about {};
  if (::fstat(descriptor, &about) != 0) return io_error("Looking at", path, errno);
  if (!S_ISREG(about.st_mode)) {
    return fail(ErrorDomain::local, "bad-key", fmt::format("The key is not usable: {} is not a file", path));
  }
  if (about.st_uid != ::geteuid() && about.st_uid != 0) {
    return fail(ErrorDomain::local, "key-readable-by-others",
                fmt::format("The key file {} belongs to another user", path));
  }
  if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(ErrorDomain::local, "key-readable-by-others",
                fmt::format("The key file {} is open to its group or to others; chmod 600 it", path));
  }
  return {};
}

}  // namespace

std::string KeyPlace::describe() const {
  switch (kind) {
    case Kind::file:
      return fmt::format("the file {}", path);
    case Kind::descriptor:
      return fmt::format("descriptor {}", descriptor);
    case Kind::credential:
      return fmt::format("the credential {}", path);
  }
  return {};
}

KeySurroundings KeySurroundings::of_this_process() {
  return {variable("CREDENTIALS_DIRECTORY"), variable("XDG_CONFIG_HOME"), variable("HOME"), ::geteuid() == 0};
}

Result<KeyPlace> find_key_place(const KeyWish& wish, const KeySurroundings& surroundings) {
  std::error_code error;
  if (wish.option.starts_with("fd:")) {
    const auto number = text::parse_int(std::string_view(wish.option).substr(3));
    if (!number || *number < 0 || *number > 65535) {
      return fail(ErrorDomain::input, "bad-key-option", "--key fd:N needs the number of an open descriptor");
    }
    return KeyPlace{KeyPlace::Kind::descriptor, {}, static_cast<int>(*number)};
  }
  if (!wish.option.empty()) return KeyPlace{KeyPlace::Kind::file, wish.option, -1};
  const fs::path folder = fs::absolute(wish.organisation_folder, error).lexically_normal();
  if (wish.beside_data) return KeyPlace{KeyPlace::Kind::file, (folder / "syncline.key").string(), -1};
  if (surroundings.credentials_directory) {
    const fs::path credential = fs::path(*surroundings.credentials_directory) / "syncline.key";
    if (fs::exists(credential, error)) return KeyPlace{KeyPlace::Kind::credential, credential.string(), -1};
  }
  const std::string name =
      (folder.has_filename() ? folder.filename() : folder.parent_path().filename()).string() + ".key";
  if (surroundings.root) return KeyPlace{KeyPlace::Kind::file, "/etc/syncline/" + name, -1};
  fs::path home = surroundings.config_home ? fs::path(*surroundings.config_home)
                                           : fs::path(surroundings.home.value_or("/")) / ".config";
  return KeyPlace{KeyPlace::Kind::file, (home / "syncline" / name).string(), -1};
}

Result<MasterKeys> read_keys(const KeyPlace& place) {
  if (place.kind == KeyPlace::Kind::descriptor) {
    // A copy, so that the caller's descriptor is not closed under it.
    const Descriptor copy(::fcntl(place.descriptor, F_DUPFD_CLOEXEC, 0));
    if (copy.get() < 0) {
      return fail(ErrorDomain::local, "no-key",
                  fmt::format("There is no key: {} is not open", place.describe()));
    }
    Result<Secret> text = read_all(copy.get(), place.describe());
    if (!text) return fail(std::move(text.error()));
    return parse_master_keys(*text);
  }
  const Descriptor file(::open(place.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (file.get() < 0 && (errno == ENOENT || errno == ENOTDIR)) {
    return fail(ErrorDomain::local, "no-key",
                fmt::format("There is no key at {}; name it with --key FILE or --key fd:N", place.path));
  }
  if (file.get() < 0) return io_error("Opening the key", place.path, errno);
  // systemd sees to it that a credential is its unit's alone; its mode may be 0440.
  if (place.kind == KeyPlace::Kind::file) {
    if (auto good = check_privacy(file.get(), place.path); !good) return fail(std::move(good.error()));
  }
  Result<Secret> text = read_all(file.get(), place.path);
  if (!text) return fail(std::move(text.error()));
  return parse_master_keys(*text);
}

Result<void> write_keys(const KeyPlace& place, const MasterKeys& keys) {
  if (place.kind != KeyPlace::Kind::file) {
    return fail(ErrorDomain::local, "key-not-writable",
                fmt::format("The key comes from {}, which cannot be written", place.describe()));
  }
  const fs::path path(place.path);
  std::error_code error;
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  if (!fs::exists(folder, error)) {
    const mode_t before = ::umask(077);
    fs::create_directories(folder, error);
    ::umask(before);
    if (error) return io_error("Making", folder.string(), error.value());
  }
  std::string temporary = path.string() + ".XXXXXX";
  const Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));  // mode 0600, mkstemp(3)
  if (file.get() < 0) return io_error("Writing the key to", path.string(), errno);
  const Secret text = print_master_keys(keys);
  if (!write_all(file.get(), text.reveal()) || ::fsync(file.get()) != 0 ||
      ::rename(temporary.c_str(), path.c_str()) != 0) {
    const int number = errno;
    ::unlink(temporary.c_str());
    return io_error("Writing the key to", path.string(), number);
  }
  const Descriptor parent(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (parent.get() < 0 || ::fsync(parent.get()) != 0) return io_error("Writing", folder.string(), errno);
  return {};
}

}  // namespace syncline::vault
