<?php
// Values of PHP's own functions, of phpass and of Drupal 7.
//
//   php make_php.php PHPASS DRUPAL > php.json
//
// The arguments are checkouts of openwall/phpass 0.5 and of Drupal 7; PHP 8.2.
[, $phpass, $drupal] = $argv;
require "$phpass/src/PasswordHash.php";
require "$drupal/includes/password.inc";

function drupal_random_bytes($count) {
  return random_bytes($count);
}

function variable_get($name, $default) {
  return $default;
}

// As WordPress 6.8 does in wp_hash_password.
function wordpress($password) {
  $mac = base64_encode(hash_hmac('sha384', trim($password), 'wp-sha384', true));
  return '$wp' . password_hash($mac, PASSWORD_BCRYPT, ['cost' => 4]);
}

function ldap($name, $algorithm, $password, $salt) {
  return '{' . $name . '}' . base64_encode(hash($algorithm, $password . $salt, true) . $salt);
}

$passwords = ['correct horse', ' trailing ', "Cr\u{e8}me", "Cre\u{300}me", 'ключ 🔑', "nul\0inside", str_repeat('p', 100), 'x'];
$portable = [new PasswordHash(8, true), new PasswordHash(4, true)];
$rows = [];
foreach ($passwords as $index => $password) {
  $values = [
    ['phpass', $portable[$index % 2]->HashPassword($password)],
    ['phpass', '$H$' . substr($portable[1]->HashPassword($password), 3)],
    ['drupal7', _password_crypt('sha512', $password, '$S$' . '59D'[$index % 3] . 'abcd./Z9')],
    ['drupal7', 'U' . _password_crypt('sha512', md5($password), '$S$5abcd./Z9')],
    ['wordpress', wordpress($password)],
    ['ldap', ldap('SSHA', 'sha1', $password, random_bytes([4, 8, 16][$index % 3]))],
    ['ldap', ldap('SSHA256', 'sha256', $password, random_bytes(8))],
    ['ldap', ldap('SSHA512', 'sha512', $password, random_bytes(16))],
    ['ldap', ldap('SMD5', 'md5', $password, random_bytes(4))],
    ['ldap', ldap('SHA', 'sha1', $password, '')],
    ['ldap', ldap('MD5', 'md5', $password, '')],
    ['ldap', ldap('SHA256', 'sha256', $password, '')],
    ['ldap', ldap('SHA512', 'sha512', $password, '')],
  ];
  // C ends a password at its first NUL byte.
  if (!str_contains($password, "\0")) {
    $values[] = ['sha_crypt', crypt($password, '$5$rounds=1000$saltstring$')];
    $values[] = ['sha_crypt', crypt($password, '$6$rounds=1234$sixteen/letters.$')];
    $values[] = ['sha_crypt', crypt($password, '$6$x$')];
    $values[] = ['sha_crypt', crypt($password, '$5$./$')];
    $values[] = ['md5_crypt', crypt($password, '$1$saltsalt$')];
    $values[] = ['md5_crypt', crypt($password, '$1$a$')];
  }
  if (strlen($password) < 72 && !str_contains($password, "\0")) {
    $values[] = ['bcrypt', password_hash($password, PASSWORD_BCRYPT, ['cost' => 4])];
    $values[] = ['argon2', password_hash($password, PASSWORD_ARGON2I, ['memory_cost' => 64])];
    $values[] = ['argon2', password_hash($password, PASSWORD_ARGON2ID, ['memory_cost' => 64])];
  }
  foreach ($values as [$scheme, $value]) {
    $rows[] = ['scheme' => $scheme, 'value' => $value, 'password' => $password, 'pepper' => ''];
  }
}
// PHP has no $apr1$, OpenSSL has.
foreach (['correct horse', 'x', str_repeat('p', 100)] as $password) {
  $value = rtrim(shell_exec('openssl passwd -apr1 ' . escapeshellarg($password)));
  $rows[] = ['scheme' => 'md5_crypt', 'value' => $value, 'password' => $password, 'pepper' => ''];
}
echo json_encode($rows, JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR), "\n";
