# T12 ok: whoever cleans up must not follow it
import os

os.symlink('@FOLDER@', 'folder')
os.mkdir('inner')
os.symlink('@FOLDER@', 'inner/folder')
os.symlink('@FILE@', 'file')
