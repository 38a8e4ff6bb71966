print("vtbackup")
